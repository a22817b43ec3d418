// 16-bit floats and TF32 on the CPU. All roundings go to the nearest, ties to even.
#pragma once
#include <cstdint>
#include <cstring>

namespace emu {

inline float floatOfBits(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

inline uint32_t bitsOfFloat(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  return bits;
}

inline float floatOfBfloat16(uint16_t h) { return floatOfBits(static_cast<uint32_t>(h) << 16); }

inline uint16_t bfloat16OfFloat(float f) {
  uint32_t bits = bitsOfFloat(f);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float floatOfHalf(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  uint32_t rest = static_cast<uint32_t>(h & 0x7fff) << 13;
  if (rest >= 0x0f800000) return floatOfBits(sign | 0x70000000 | rest);  // infinity or NaN
  return floatOfBits(sign | bitsOfFloat(floatOfBits(rest) * 0x1p112f));  // exact, for subnormal halves too
}

inline uint16_t halfOfFloat(float f) {
  uint32_t bits = bitsOfFloat(f);
  auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x477ff000) return sign | 0x7c00;  // 65520 and up round to infinity
  if (bits < 0x38800000) {                       // subnormal: let a float addition round at 2^-24
    return sign | static_cast<uint16_t>(bitsOfFloat(floatOfBits(bits) + 0.5f) - bitsOfFloat(0.5f));
  }
  return sign | static_cast<uint16_t>((bits - 0x38000000 + 0xfff + (bits >> 13 & 1)) >> 13);
}

/** TF32 keeps 10 bits of mantissa. */
inline float tf32OfFloat(float f) {
  uint32_t bits = bitsOfFloat(f);
  if ((bits & 0x7f800000) == 0x7f800000) return f;
  return floatOfBits((bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu);
}

/** Element types of the libraries, under one name. */
enum class Type { FLOAT, HALF, BFLOAT16 };

inline size_t sizeOf(Type type) { return type == Type::FLOAT ? 4 : 2; }

inline float load(const void* p, int64_t i, Type type) {
  switch (type) {
    case Type::HALF: return floatOfHalf(static_cast<const uint16_t*>(p)[i]);
    case Type::BFLOAT16: return floatOfBfloat16(static_cast<const uint16_t*>(p)[i]);
    default: return static_cast<const float*>(p)[i];
  }
}

inline void store(void* p, int64_t i, Type type, float value) {
  switch (type) {
    case Type::HALF: static_cast<uint16_t*>(p)[i] = halfOfFloat(value); break;
    case Type::BFLOAT16: static_cast<uint16_t*>(p)[i] = bfloat16OfFloat(value); break;
    default: static_cast<float*>(p)[i] = value;
  }
}

/** What a tensor core does to its inputs before it multiplies them. */
enum class Rounding { NONE, TF32, HALF, BFLOAT16 };

inline float rounded(float f, Rounding rounding) {
  switch (rounding) {
    case Rounding::TF32: return tf32OfFloat(f);
    case Rounding::HALF: return floatOfHalf(halfOfFloat(f));
    case Rounding::BFLOAT16: return floatOfBfloat16(bfloat16OfFloat(f));
    default: return f;
  }
}

}  // namespace emu
