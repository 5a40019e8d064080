// Another program, for tests: started without a shell, and its output's first line.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace nando {

struct Running {
  pid_t process = -1;
  std::string line;
};
inline Running run(std::vector<std::string> words) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  Running running{.process = ::fork()};
  if (running.process == 0) {
    ::dup2(ends[1], 1);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) running.line += c;
  ::close(ends[0]);
  return running;
}

// As above, of one that ends by itself; how it ended.
inline int run_to_end(std::vector<std::string> words) {
  int ended = -1;
  EXPECT_GT(::waitpid(run(std::move(words)).process, &ended, 0), 0);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

}  // namespace nando
