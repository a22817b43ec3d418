package org.diffusionrpo.diffusion.clip;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Embeds pictures and texts with a frozen CLIP: projected and of unit length, so that a dot product is a cosine.
 * Pictures are resized to the tower's size (short side, Pillow's bicubic) and cropped in the centre.
 */
public final class ClipEmbedder {
  private static final int BATCH = 64;

  private final Backend backend;
  private final ClipModel clip;
  private final ClipTokenizer tokenizer;

  public ClipEmbedder(Backend backend, ClipModel clip, ClipTokenizer tokenizer) {
    this.backend = backend;
    this.clip = clip;
    this.tokenizer = tokenizer;
  }

  /** The square of the tower's size that it sees of a picture; for any thread. */
  public RgbImage square(RgbImage image) {
    int size = clip.vision().config().imageSize();
    return Crops.center(Resize.shortSide(image, size, Resize.Filter.BICUBIC), size, size);
  }

  /** One embedding [E] for each picture. */
  public List<double[]> images(List<RgbImage> images) {
    return squares(images.stream().map(this::square).toList());
  }

  /** One embedding [E] for each {@link #square}. */
  public List<double[]> squares(List<RgbImage> squares) {
    List<double[]> embeddings = new ArrayList<>();
    for (int from = 0; from < squares.size(); from += BATCH) {
      List<RgbImage> batch = squares.subList(from, Math.min(squares.size(), from + BATCH));
      try (MemoryScope scope = backend.scope()) {
        Tensor embeds = clip.vision().forward(ClipImages.toTensor(backend, batch), Tape.NONE);
        addUnitRows(embeds, embeddings);
      }
    }
    return embeddings;
  }

  /** One embedding [E] for each text. */
  public List<double[]> texts(List<String> texts) {
    List<double[]> embeddings = new ArrayList<>();
    for (int from = 0; from < texts.size(); from += BATCH) {
      List<String> batch = texts.subList(from, Math.min(texts.size(), from + BATCH));
      int[] ids = tokenizer.encodeBatch(batch);
      try (MemoryScope scope = backend.scope()) {
        Tensor hidden = clip.text().forward(backend, ids, batch.size(), Tape.NONE);
        addUnitRows(clip.text().project(hidden, ids, Tape.NONE), embeddings);
      }
    }
    return embeddings;
  }

  private static void addUnitRows(Tensor rows, List<double[]> out) {
    float[] values = rows.toArray();
    int size = rows.dim(1);
    for (int n = 0; n < rows.dim(0); n++) {
      double[] row = new double[size];
      double sum = 0;
      for (int i = 0; i < size; i++) {
        row[i] = values[n * size + i];
        sum += row[i] * row[i];
      }
      double norm = Math.sqrt(sum);
      for (int i = 0; i < size; i++) {
        row[i] /= norm;
      }
      out.add(row);
    }
  }
}
