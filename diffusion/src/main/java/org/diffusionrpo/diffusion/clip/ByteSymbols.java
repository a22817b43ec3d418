package org.diffusionrpo.diffusion.clip;

/**
 * The 256 printable characters that stand for bytes in a byte-level BPE vocabulary, so that no token holds a space or
 * a control character. Printable Latin-1 bytes stand for themselves; the other 68, in increasing order, are
 * U+0100 .. U+0143. Radford et al. 2019 (GPT-2), section 2.2, and the CLIP tokenizer.
 */
final class ByteSymbols {
  /** Symbol of each byte. */
  private static final char[] SYMBOL = new char[256];
  /** Bytes in vocabulary order: the 188 printable ones, then the others. */
  private static final int[] ORDER = new int[256];

  static {
    int printable = 0;
    int other = 188;
    for (int b = 0; b < 256; b++) {
      if (isPrintable(b)) {
        SYMBOL[b] = (char) b;
        ORDER[printable++] = b;
      } else {
        SYMBOL[b] = (char) (0x100 + other - 188);
        ORDER[other++] = b;
      }
    }
  }

  private ByteSymbols() {}

  /** The symbol of a byte, 0 .. 255. */
  static String of(int b) {
    return String.valueOf(SYMBOL[b]);
  }

  /** The symbol that has the given id, 0 .. 255, in a CLIP vocabulary. */
  static String atId(int id) {
    return of(ORDER[id]);
  }

  private static boolean isPrintable(int b) {
    return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
  }
}
