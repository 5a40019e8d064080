#include "webhooks/post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

#include "base/address.h"
#include "base/assert.h"

namespace nando {

namespace {

// A sockaddr of a family that is neither is no address at all, and so not public.
IpAddress address_of(const curl_sockaddr& given) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (given.family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(&given.addr)->sin_addr;
  } else if (given.family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(&given.addr)->sin6_addr;
  }
  if (bytes == nullptr || inet_ntop(given.family, bytes, text.data(), text.size()) == nullptr) {
    return {};
  }
  return IpAddress::parse(text.data()).value_or(IpAddress{});
}

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

struct Posts::Multi {
  Multi() : handle(curl_multi_init()) { ASSERT(handle != nullptr); }
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() { curl_multi_cleanup(handle); }

  CURLM* handle;
};

struct Posts::Transfer {
  std::size_t slot;
  Reach reach;
  PostRequest request;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  bool refused = false;  // An address of its host.
  bool head_ended = false;
  std::size_t head_bytes = 0;
  std::size_t body_bytes = 0;

  template <class Value>
  void set(CURLoption option, Value value) {
    const auto done = curl_easy_setopt(easy.get(), option, value);
    ASSERT(done == CURLE_OK);
  }
  void add_header(const char* line) {
    auto* const longer = curl_slist_append(headers.get(), line);
    ASSERT(longer != nullptr);
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  void prepare(const PostOptions& options);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t take_head(char* bytes, std::size_t one, std::size_t size, void* self);
  static std::size_t take_body(char* bytes, std::size_t one, std::size_t size, void* self);
};

// Where libcurl gets its sockets: after the name was resolved, for each address that it tries.
curl_socket_t Posts::Transfer::open_socket(void* self, curlsocktype purpose,
                                           curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  const bool reaches = transfer.reach == Reach::anywhere || address_of(*address).is_public();
  if (purpose != CURLSOCKTYPE_IPCXN || !reaches) {
    transfer.refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A line of it, or of what trails a body. libcurl takes a connection that is closed in the middle
// of the head for its end.
std::size_t Posts::Transfer::take_head(char* line, std::size_t one, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view text(line, one * size);
  if (text.starts_with("HTTP/")) transfer.head_ended = false;  // After a 1xx comes another head.
  if (text == "\r\n" || text == "\n") transfer.head_ended = true;
  transfer.head_bytes += text.size();
  return transfer.head_bytes <= kAnswerBytesMax ? one * size : CURL_WRITEFUNC_ERROR;
}

std::size_t Posts::Transfer::take_body(char*, std::size_t one, std::size_t size, void* self) {
  auto& bytes = static_cast<Transfer*>(self)->body_bytes;
  bytes += one * size;
  return bytes <= kAnswerBytesMax ? one * size : CURL_WRITEFUNC_ERROR;
}

void Posts::Transfer::prepare(const PostOptions& options) {
  easy.reset(curl_easy_init());
  ASSERT(easy != nullptr);
  for (const auto& line : request.headers) add_header(line.c_str());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_POSTFIELDS, request.body.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_USERAGENT, "Nandolytics");
  set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // Not that of the environment either.
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &take_head);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.patience.count()));
  set(CURLOPT_NOSIGNAL, 1L);
  // A name server that does not answer must not hold up the end of this. The look-up's thread is
  // left behind, and ends by itself.
  set(CURLOPT_QUICK_EXIT, 1L);
  if (!options.authorities.empty()) set(CURLOPT_CAINFO, options.authorities.c_str());
}

Posts::Posts(PostOptions options)
    : options_(std::move(options)), multi_(std::make_unique<Multi>()) {}

Posts::~Posts() {
  for (const auto& transfer : transfers_) {
    if (transfer) curl_multi_remove_handle(multi_->handle, transfer->easy.get());
  }
}

void Posts::begin(std::size_t slot, PostRequest request) {
  if (transfers_.size() <= slot) transfers_.resize(slot + 1);
  ASSERT(!transfers_[slot]);
  transfers_[slot] = std::make_unique<Transfer>(
      Transfer{.slot = slot, .reach = options_.reach, .request = std::move(request)});
  transfers_[slot]->prepare(options_);
  const auto added = curl_multi_add_handle(multi_->handle, transfers_[slot]->easy.get());
  ASSERT(added == CURLM_OK);
}

std::vector<PostAnswer> Posts::wait(std::chrono::milliseconds patience) {
  std::vector<PostAnswer> answers;
  int running = 0;
  curl_multi_perform(multi_->handle, &running);
  finish(answers);
  if (!answers.empty()) return answers;
  curl_multi_poll(multi_->handle, nullptr, 0, static_cast<int>(patience.count()), nullptr);
  curl_multi_perform(multi_->handle, &running);
  finish(answers);
  return answers;
}

void Posts::wake() {
  curl_multi_wakeup(multi_->handle);
}

void Posts::finish(std::vector<PostAnswer>& answers) {
  int left = 0;
  while (const auto* const message = curl_multi_info_read(multi_->handle, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto result = message->data.result;
    void* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    const auto& transfer = *static_cast<Transfer*>(self);
    PostAnswer answer{.slot = transfer.slot};
    // A long body was cut by us, and its status stands.
    const bool whole = result == CURLE_OK || transfer.body_bytes > kAnswerBytesMax;
    if (whole && transfer.head_ended) {
      long status = 0;
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      answer.status = static_cast<unsigned>(status);
    } else if (transfer.refused) {
      answer.problem =
          "is at an address that is not public; webhooks.allow_private would permit it";
    } else {
      const auto* const why = result == CURLE_OK ? "half of one" : curl_easy_strerror(result);
      answer.problem = std::string("gave no answer: ") + why;
    }
    curl_multi_remove_handle(multi_->handle, message->easy_handle);
    transfers_[transfer.slot].reset();
    answers.push_back(std::move(answer));
  }
}

}  // namespace nando
