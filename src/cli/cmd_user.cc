#include <CLI/CLI.hpp>

#include "base/bytes.h"
#include "base/entropy.h"
#include "cli/command.h"
#include "model/day.h"

namespace nando {

namespace {

constexpr std::size_t kPasswordEntropyBytes = 15;  // 20 characters.

int list(Live& live, bool json, Output& output) {
  std::vector<JsonObject> objects;
  std::vector<std::vector<std::string>> rows{{"EMAIL", "ROLE", "SINCE"}};
  for (const auto& user : live.people().users->list()) {
    const auto since = to_string(Zone::utc().day_of(user.made).day);
    const std::string role(name_of(user.role));
    objects.push_back({{"email", user.email}, {"role", role}, {"since", since}});
    rows.push_back({user.email, role, since});
  }
  if (json) {
    output.out(json_text(objects));
  } else if (objects.empty()) {
    output.err(
        "nandolytics: nobody may log in yet; the address that `nandolytics serve` prints at its "
        "start sets that up\n");
  } else {
    output.out(text_table(rows));
  }
  return kDone;
}

int new_password(Live& live, const std::string& email, Output& output) {
  SystemEntropy entropy;
  const auto password = to_base64url(entropy.take<kPasswordEntropyBytes>());
  const auto& people = live.people();
  if (auto done = people.users->set_password(email, password); !done) {
    return refuse(output, done.error());
  }
  // Over already, by the password; this takes what is kept of them away.
  if (auto done = people.sessions->end_all(*parse_email(email)); !done) {
    return refuse(output, done.error());
  }
  output.err("nandolytics: keep it, it is not shown again\n");
  output.out(password + "\n");
  return kDone;
}

int remove(Live& live, const std::string& email, Output& output) {
  const auto& people = live.people();
  if (auto done = people.users->remove(email); !done) return refuse(output, done.error());
  if (auto done = people.sessions->end_all(*parse_email(email)); !done) {
    return refuse(output, done.error());
  }
  output.out("removed " + email + "\n");
  return kDone;
}

}  // namespace

Run user_list(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  return StoreRun{[json](Live& live, Output& output) { return list(live, *json, output); }};
}

Run user_password(CLI::App& app) {
  const auto email = std::make_shared<std::string>();
  app.add_option("EMAIL", *email, "whose")->required();
  return StoreRun{
      [email](Live& live, Output& output) { return new_password(live, *email, output); }};
}

Run user_remove(CLI::App& app) {
  const auto email = std::make_shared<std::string>();
  app.add_option("EMAIL", *email, "who")->required();
  return StoreRun{[email](Live& live, Output& output) { return remove(live, *email, output); }};
}

}  // namespace nando
