package org.diffusionrpo.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCodecTest {
  /** Lossy formats may move a flat colour by rounding in YCbCr. */
  private static final int LOSSY = 3;

  @TempDir Path folder;

  private static int[] pixels(byte[] file) throws IOException {
    byte[] rgb = ImageCodec.decode(file, "sample").rgb();
    int[] values = new int[rgb.length];
    Arrays.setAll(values, i -> rgb[i] & 0xff);
    return values;
  }

  private static int[] gray(int... values) {
    int[] rgb = new int[values.length * 3];
    Arrays.setAll(rgb, i -> values[i / 3]);
    return rgb;
  }

  private static RgbImage noise(int width, int height, long seed) {
    byte[] rgb = new byte[3 * width * height];
    new Random(seed).nextBytes(rgb);
    return new RgbImage(width, height, rgb);
  }

  @Test void grayIsNotBrightened() throws IOException {
    assertArrayEquals(gray(0, 64, 128, 200, 255, 17), pixels(SampleImages.GRAY));
    assertArrayEquals(gray(0x80, 0x40), pixels(SampleImages.GRAY_16));
    assertArrayEquals(gray(0, 255, 255), pixels(SampleImages.BLACK_AND_WHITE));
    assertArrayEquals(gray(128), Arrays.copyOf(pixels(SampleImages.GRAY_JPEG), 3));
  }

  @Test void transparencyIsCompositedOnWhite() throws IOException {
    assertArrayEquals(new int[] {255, 0, 0, 127, 127, 255, 255, 255, 255}, pixels(SampleImages.RGBA));
    assertArrayEquals(gray(100, 224), pixels(SampleImages.GRAY_ALPHA)); // 0.2 * 100 + 0.8 * 255
    assertArrayEquals(new int[] {10, 20, 30, 255, 255, 255}, pixels(SampleImages.PALETTE));
  }

  @Test void webpIsRead() throws IOException {
    int[] lossless = pixels(SampleImages.WEBP_LOSSLESS);
    assertArrayEquals(new int[] {200, 30, 60}, Arrays.copyOf(lossless, 3));
    assertArrayEquals(new int[] {157, 161, 165}, Arrays.copyOfRange(lossless, 9, 12)); // alpha 0.4 on white
    assertArrayEquals(gray(255), Arrays.copyOfRange(lossless, 27, 30));
    assertNear(new int[] {200, 30, 60}, pixels(SampleImages.WEBP_LOSSY));
    int[] half = pixels(SampleImages.WEBP_ALPHA);
    assertArrayEquals(gray(255), Arrays.copyOf(half, 3));
    assertNear(new int[] {200, 30, 60}, Arrays.copyOfRange(half, 45, 48));
  }

  @Test void cmykJpegIsRead() throws IOException {
    int[] rgb = pixels(SampleImages.CMYK_JPEG);
    assertTrue(rgb[0] > 180 && rgb[1] < 80 && rgb[2] < 80, Arrays.toString(Arrays.copyOf(rgb, 3)));
  }

  private static void assertNear(int[] expected, int[] actual) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], LOSSY);
    }
  }

  @Test void encodedPngHoldsTheSamePixels() throws IOException {
    int[][] sizes = {{1, 1}, {3, 5}, {67, 31}, {300, 280}};
    for (int[] size : sizes) {
      RgbImage image = noise(size[0], size[1], 5);
      RgbImage decoded = ImageCodec.decode(ImageCodec.encodePng(image), "round trip");
      assertEquals(size[0], decoded.width());
      assertArrayEquals(image.rgb(), decoded.rgb());
    }
  }

  /** Noise is best left unfiltered; a smooth surface with little steps in it makes every filter worth its while. */
  @Test void encodedSmoothPicturesHoldTheSamePixels() throws IOException {
    Random random = new Random(8);
    for (int steps = 1; steps <= 8; steps++) {
      byte[] rgb = new byte[3 * 41 * 37];
      for (int i = 0; i < rgb.length; i++) {
        int x = i / 3 % 41;
        int y = i / 3 / 41;
        rgb[i] = (byte) (x * y / steps + 3 * x + random.nextInt(steps));
      }
      RgbImage image = new RgbImage(41, 37, rgb);
      assertArrayEquals(rgb, ImageCodec.decode(ImageCodec.encodePng(image), "smooth").rgb());
    }
  }

  @Test void ourPngIsSmallerThanTheDefaultOfImageIo() throws IOException {
    byte[] rgb = new byte[3 * 64 * 64];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % 64 * 2 + i / 192 + i % 3 * 40);
    }
    byte[] ours = ImageCodec.encodePng(new RgbImage(64, 64, rgb));
    ByteArrayOutputStream theirs = new ByteArrayOutputStream();
    ImageIO.write(ImageIO.read(new ByteArrayInputStream(ours)), "png", theirs);
    assertTrue(ours.length < theirs.size(), ours.length + " against " + theirs.size());
  }

  @Test void eachCutOffFileIsRefusedByName() {
    byte[][] files = {ImageCodec.encodePng(noise(40, 40, 1)), SampleImages.GRAY_JPEG, SampleImages.CMYK_JPEG,
        SampleImages.WEBP_LOSSY, SampleImages.WEBP_LOSSLESS};
    for (byte[] file : files) {
      for (int length : new int[] {0, 5, file.length / 2, file.length - 3}) {
        IOException error =
            assertThrows(IOException.class, () -> ImageCodec.decode(Arrays.copyOf(file, length), "cut.img"));
        assertTrue(error.getMessage().startsWith("cut.img: "), error.getMessage());
      }
    }
  }

  @Test void aFlippedBitInPngIsRefused() {
    byte[] file = ImageCodec.encodePng(noise(8, 8, 1));
    file[60] ^= 4;
    IOException error = assertThrows(IOException.class, () -> ImageCodec.decode(file, "bit.png"));
    assertEquals("bit.png: damaged PNG, wrong checksum of its IDAT chunk", error.getMessage());
  }

  @Test void randomDamageNeverEscapesAsAnotherException() {
    int afterSize = 30; // a header that claims a huge picture would only make the test slow
    Random random = new Random(3);
    byte[][] files = {SampleImages.GRAY_JPEG, SampleImages.WEBP_ALPHA, SampleImages.WEBP_LOSSLESS};
    for (byte[] file : files) {
      for (int trial = 0; trial < 200; trial++) {
        byte[] damaged = file.clone();
        damaged[afterSize + random.nextInt(file.length - afterSize)] = (byte) random.nextInt();
        try {
          ImageCodec.decode(damaged, "damaged");
        } catch (IOException e) {
          assertTrue(e.getMessage().startsWith("damaged: "), e.getMessage());
        }
      }
    }
  }

  @Test void aHugeClaimIsRefusedBeforeMemoryIsTaken() {
    byte[] file = SampleImages.GRAY_JPEG.clone();
    int size = 4 + indexOfStartOfFrame(file) + 1;
    Arrays.fill(file, size, size + 4, (byte) 0x7f);
    IOException error = assertThrows(IOException.class, () -> ImageCodec.decode(file, "huge.jpg"));
    assertTrue(error.getMessage().contains("it claims 1065304321 pixels"), error.getMessage());
  }

  private static int indexOfStartOfFrame(byte[] jpeg) {
    int i = 0;
    while ((jpeg[i] & 0xff) != 0xff || (jpeg[i + 1] & 0xff) != 0xc0) {
      i++;
    }
    return i;
  }

  @Test void somethingElseIsRefused() throws IOException {
    Path file = folder.resolve("notes.png");
    Files.writeString(file, "these are notes");
    IOException error = assertThrows(IOException.class, () -> ImageCodec.read(file));
    assertEquals(file + ": not an image in a known format (PNG, JPEG, WebP, GIF, BMP, TIFF)", error.getMessage());
  }
}
