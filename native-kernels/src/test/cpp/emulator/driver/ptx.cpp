#include "ptx.h"
#include <cctype>
#include <cstdlib>
#include "../core/base64.h"

namespace emu {
namespace {

/** The word that starts at the first non-blank character from `at`. */
std::string word(const std::string& text, size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) at++;
  size_t end = at;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_' ||
      text[end] == '$' || text[end] == '.')) {
    end++;
  }
  return text.substr(at, end - at);
}

/** Bytes of a parameter's type: the digits of .u64, .f32, .b8 and so on. */
unsigned bytesOf(const std::string& type) {
  size_t digit = type.find_first_of("0123456789");
  return digit == std::string::npos ? 0 : static_cast<unsigned>(std::atoi(type.c_str() + digit)) / 8;
}

std::vector<unsigned> parameters(const std::string& list) {
  std::vector<unsigned> bytes;
  for (size_t at = list.find(".param"); at != std::string::npos; at = list.find(".param", at + 1)) {
    bytes.push_back(bytesOf(word(list, at + 6)));
  }
  return bytes;
}

}  // namespace

Ptx readPtx(const std::string& text) {
  Ptx ptx;
  size_t at = text.find(".version ");
  if (at != std::string::npos) {
    char* point = nullptr;
    long major = std::strtol(text.c_str() + at + 9, &point, 10);
    ptx.isa = static_cast<int>(10 * major + (*point == '.' ? std::atoi(point + 1) : 0));
  }
  at = text.find(".target sm_");
  if (at != std::string::npos) ptx.target = std::atoi(text.c_str() + at + 11);
  for (at = text.find(".entry "); at != std::string::npos; at = text.find(".entry ", at + 1)) {
    size_t open = text.find_first_of("({", at), close = text.find(')', at);
    bool listed = open != std::string::npos && text[open] == '(' && close != std::string::npos;
    ptx.entries[word(text, at + 7)] = parameters(listed ? text.substr(open, close - open) : "");
  }
  at = text.find("// host library: ");
  if (at != std::string::npos) ptx.hostLibrary = fromBase64(text.substr(at + 17, text.find('\n', at) - at - 17));
  return ptx;
}

int newestIsa(int driverVersion) {
  static const int TABLE[][2] = {{10000, 63}, {10010, 64}, {10020, 65}, {11000, 70}, {11010, 71}, {11020, 72},
      {11030, 73}, {11040, 74}, {11050, 75}, {11060, 76}, {11070, 77}, {11080, 78}, {12000, 80}, {12010, 81},
      {12020, 82}, {12030, 83}, {12040, 84}, {12050, 85}, {12070, 86}, {12080, 87}, {12090, 88}, {13000, 90}};
  int newest = 0;
  for (auto& row : TABLE) {
    if (row[0] <= driverVersion) newest = row[1];
  }
  return newest;
}

}  // namespace emu
