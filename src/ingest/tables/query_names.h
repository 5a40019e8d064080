// Which query parameters are no part of a page, as tables. Printed in docs/reference/pages.md.
//
// A name is compared percent-decoded and without case; "user[email]" is compared as "email", and a
// leading "amp;" (from a link that was escaped twice) is ignored. For secret names "-", "_" and "."
// do not count either, so that access_token, access-token and accessToken are one row.
#pragma once

#include <array>
#include <string_view>

namespace nando {

// They say where a visitor came from, not what the page shows.
inline constexpr std::array<std::string_view, 50> kTrackingNames = {
    "_branch_match_id",
    "_ga",
    "_gac",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_kx",
    "_openstat",
    "__hsfp",
    "__hssc",
    "__hstc",
    "dclid",
    "ef_id",
    "epik",
    "fbclid",
    "gad_campaignid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hsctatracking",
    "igsh",
    "igshid",
    "irclickid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "pk_campaign",
    "pk_cid",
    "pk_content",
    "pk_keyword",
    "pk_kwd",
    "pk_medium",
    "pk_source",
    "rdt_cid",
    "s_kwcid",
    "sccid",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "wickedid",
    "yclid",
    "ysclid",
};

inline constexpr std::array<std::string_view, 5> kTrackingPrefixes = {
    "hsa_", "mtm_", "piwik_", "utm_", "vero_",
};

// They may open a door or name a person. Their values never reach a record, whatever a site's
// settings say (docs/GUARANTEES.md, V8).
inline constexpr std::array<std::string_view, 55> kSecretNames = {
    "assertion",  "auth",          "authcode",    "authorization", "bearer",
    "cfid",       "code",          "cred",        "credentials",   "creditcard",
    "cardnumber", "cvc",           "cvv",         "hmac",          "iban",
    "jsessionid", "jwt",           "key",         "keys",          "magic",
    "magiclink",  "mail",          "mfa",         "mobile",        "mobilephone",
    "nonce",      "oauthverifier", "otp",         "pass",          "passcode",
    "passphrase", "phone",         "phonenumber", "phpsessid",     "pin",
    "pw",         "relaystate",    "samlart",     "samlrequest",   "samlresponse",
    "secretcode", "sess",          "sessid",      "session",       "sessionkey",
    "sid",        "sig",           "ssn",         "state",         "tel",
    "telephone",  "ticket",        "totp",        "userphone",     "verificationcode",
};

// A name that ends in one of these is secret too: reset_token, userEmail, X-Amz-Signature.
inline constexpr std::array<std::string_view, 13> kSecretEndings = {
    "accesskey",  "apikey", "credential", "email",     "emailaddress", "passwd", "password",
    "privatekey", "pwd",    "secret",     "sessionid", "signature",    "token",
};

bool is_tracking_name(std::string_view name);
bool is_secret_name(std::string_view name);

}  // namespace nando
