// Bytes as text: how the emulated NVRTC hides a library for the CPU in the comments of its PTX.
#pragma once
#include <string>

namespace emu {

inline const char* base64Digits() { return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; }

inline std::string toBase64(const std::string& bytes) {
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char byte : bytes) {
    buffer = buffer << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += base64Digits()[buffer >> (bits - 6) & 63];
  }
  if (bits) text += base64Digits()[buffer << (6 - bits) & 63];
  return text;
}

inline std::string fromBase64(const std::string& text) {
  std::string bytes, digits = base64Digits();
  unsigned buffer = 0;
  int bits = 0;
  for (char c : text) {
    size_t digit = digits.find(c);
    if (digit == std::string::npos) continue;
    buffer = buffer << 6 | static_cast<unsigned>(digit);
    bits += 6;
    if (bits >= 8) bytes += static_cast<char>(buffer >> (bits -= 8) & 255);
  }
  return bytes;
}

}  // namespace emu
