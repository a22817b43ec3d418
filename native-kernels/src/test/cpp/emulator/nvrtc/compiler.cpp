#include "compiler.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

extern char** environ;

namespace emu {
namespace {

/** The text with blanks in place of comments, which may speak of kernels. */
std::string withoutComments(std::string text) {
  for (size_t at = 0; at + 1 < text.size(); at++) {
    bool line = text.compare(at, 2, "//") == 0, block = text.compare(at, 2, "/*") == 0;
    if (!line && !block) continue;
    size_t end = line ? text.find('\n', at) : text.find("*/", at + 2);
    end = end == std::string::npos ? text.size() : end + (line ? 0 : 2);
    std::fill(text.begin() + static_cast<long>(at), text.begin() + static_cast<long>(end), ' ');
  }
  return text;
}

/** The kernels' text between what makes it C++ for the host and the table of its kernels. */
std::string translate(const std::string& text, const std::string& name, int architecture) {
  static const std::regex KERNEL(R"(__global__\s+(?:void\s+)?)"
                                 R"((?:__launch_bounds__\s*\(([^()]*(?:\([^()]*\))*[^()]*)\)\s*)?)"
                                 R"((?:void\s+)?(\w+)\s*\()");
  std::string table, code = withoutComments(text);
  int kernels = 0;
  for (std::sregex_iterator it(code.begin(), code.end(), KERNEL), end; it != end; ++it, kernels++) {
    std::string bounds = (*it)[1].str();
    table += "  EMU_KERNEL(" + (*it)[2].str() + (bounds.empty() ? "" : ", " + bounds) + "),\n";
  }
  // In a namespace without a name everything is local, so that shared variables of templates are in .bss like others.
  return "#include \"cuda_emu.h\"\nnamespace {\n#line 1 \"" + name + "\"\n" + text +
      "\n}\nextern \"C\" EMU_HIDDEN const EmuKernel emu_kernels[] = {\n" + table + "  {}\n};\n" +
      "extern \"C\" EMU_HIDDEN const int emu_kernel_count = " + std::to_string(kernels) + ";\n" +
      "extern \"C\" EMU_HIDDEN const int emu_architecture = " + std::to_string(architecture) + ";\n";
}

/** Runs a command with its output in a file; whether it ended well. */
bool run(const std::vector<std::string>& command, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  int started = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 1;
  return started == 0 && waitpid(child, &status, 0) == child && status == 0;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> all;
  for (std::string word; stream >> word;) all.push_back(word);
  return all;
}

/** FNV-1a. */
std::string hash(const std::string& text) {
  uint64_t h = 0xcbf29ce484222325;
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(h));
  return digits;
}

}  // namespace

std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Compiled compileForHost(const std::string& home, const std::string& text, const std::string& name,
    const std::vector<std::string>& definitions, int architecture) {
  std::string unit = translate(text, name, architecture), flags = readFile(home + "/flags");
  std::string options;
  for (const std::string& definition : definitions) options += definition + "\n";
  std::string kept = home + "/cache/" + hash(unit + options + flags) + ".so";
  std::string library = readFile(kept);
  if (!library.empty()) return {true, library, ""};

  const char* temporary = std::getenv("TMPDIR");
  std::string folder = std::string(temporary ? temporary : "/tmp") + "/cuda-emulator-XXXXXX";
  if (!mkdtemp(folder.data())) return {false, "", "cannot create " + folder};
  std::string at = folder + "/unit";
  std::string source = at + ".cpp", object = at + ".o", result = at + ".so", log = at + ".log";
  std::ofstream(source) << unit;
  std::vector<std::string> compile = {"g++", "-I" + home, "-D__CUDA_ARCH__=" + std::to_string(architecture * 10)};
  for (const std::string& word : words(flags)) compile.push_back(word);
  for (const std::string& definition : definitions) compile.push_back(definition);
  for (const std::string& word : {std::string("-c"), source, std::string("-o"), object}) compile.push_back(word);
  const char *flagsOfShared = ".bss=alloc,load,contents,data", *nameOfShared = ".bss=emu_shared";
  bool good = run(compile, log) &&
      run({"objcopy", "--set-section-flags", flagsOfShared, "--rename-section", nameOfShared, object}, log) &&
      run({"g++", "-shared", object, home + "/runtime.o", "-o", result}, log);
  Compiled compiled{good, good ? readFile(result) : "", readFile(log)};
  if (good) {
    mkdir((home + "/cache").c_str(), 0777);
    std::string fresh = kept + "." + std::to_string(getpid());
    std::ofstream(fresh, std::ios::binary) << compiled.library;
    std::rename(fresh.c_str(), kept.c_str());
  }
  for (const std::string& file : {source, object, result, log}) unlink(file.c_str());
  rmdir(folder.c_str());
  return compiled;
}

}  // namespace emu
