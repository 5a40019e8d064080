// MetricsPage: the text of /metrics, in the Prometheus exposition format 0.0.4. Whoever counts
// keeps plain atomics and adds its rows here when the page is asked for, so counting costs nothing
// that a scrape needs.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace nando {

class MetricsPage {
 public:
  using Labels = std::map<std::string, std::string>;

  MetricsPage();
  ~MetricsPage();

  // Rows of one name share its help; names begin with "nandolytics_".
  void counter(const std::string& name, const std::string& help, double value,
               const Labels& labels = {});
  void gauge(const std::string& name, const std::string& help, double value,
             const Labels& labels = {});

  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace nando
