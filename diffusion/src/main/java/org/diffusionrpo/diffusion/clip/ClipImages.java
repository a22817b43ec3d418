package org.diffusionrpo.diffusion.clip;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Pictures of the right size as CLIP's vision tower sees them: (v / 255 - mean) / std per channel. */
public final class ClipImages {
  /** OpenAI's statistics, R, G, B. */
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] STD = {0.26862954f, 0.26130258f, 0.27577711f};
  /** Files write the statistics with more or fewer digits. */
  private static final double DIGITS = 1e-6;

  private ClipImages() {}

  /**
   * Refuses a model whose preprocessor_config.json wants pictures prepared in another way than this class and
   * {@link ClipEmbedder} do; what the file does not say is as usual.
   *
   * @param side of the vision tower's pictures
   */
  public static void requireSupported(ModelConfig preprocessor, int side) {
    for (String step : List.of("do_resize", "do_center_crop", "do_normalize", "do_rescale")) {
      preprocessor.onlySupports(step, Set.of("true"));
    }
    preprocessor.onlySupports("resample", Set.of("3"));
    if (Math.abs(preprocessor.number("rescale_factor", 1 / 255f) - 1 / 255.0) > DIGITS) {
      throw unsupported(preprocessor, "rescale_factor", "1 / 255");
    }
    requireEqual(preprocessor, "image_mean", MEAN);
    requireEqual(preprocessor, "image_std", STD);
    for (String key : List.of("size", "crop_size")) {
      JsonNode size = preprocessor.json().path(key);
      for (JsonNode value : size.isObject() ? size : List.of(size)) { // newer files name the sides
        if (value.isNumber() && value.asInt() != side) {
          throw unsupported(preprocessor, key, "pictures of " + side + " x " + side + ", as the vision tower has them");
        }
      }
    }
  }

  private static void requireEqual(ModelConfig preprocessor, String key, float[] expected) {
    JsonNode values = preprocessor.json().path(key);
    boolean same = !preprocessor.has(key) || values.size() == expected.length;
    for (int c = 0; c < values.size() && same; c++) {
      same = Math.abs(values.path(c).asDouble() - expected[c]) < DIGITS;
    }
    if (!same) {
      throw unsupported(preprocessor, key, "OpenAI's " + Arrays.toString(expected));
    }
  }

  private static IllegalArgumentException unsupported(ModelConfig preprocessor, String key, String expected) {
    return new IllegalArgumentException(preprocessor.source() + ": " + key + " = " + preprocessor.json().path(key)
        + ": supported: " + expected);
  }

  /** Square pictures of equal size as one tensor [N, S, S, 3]. */
  public static Tensor toTensor(Backend backend, List<RgbImage> images) {
    int side = images.get(0).width();
    int size = 3 * side * side;
    float[] values = new float[images.size() * size];
    for (int n = 0; n < images.size(); n++) {
      RgbImage image = images.get(n);
      if (image.width() != side || image.height() != side) {
        throw new IllegalArgumentException("CLIP needs square pictures of one size; got " + image.width() + " x "
            + image.height() + " beside " + side + " x " + side);
      }
      for (int i = 0; i < size; i++) {
        values[n * size + i] = ((image.rgb()[i] & 0xFF) / 255f - MEAN[i % 3]) / STD[i % 3];
      }
    }
    return backend.of(Shape.of(images.size(), side, side, 3), values);
  }
}
