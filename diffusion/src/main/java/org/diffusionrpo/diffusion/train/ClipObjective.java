package org.diffusionrpo.diffusion.train;

import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipImages;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.image.Pixels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Trains both towers of CLIP. An item is a group of pictures that mean the same (a concept in several styles), each
 * with its captions; a batch takes one picture and one caption of each group, so no two of its texts should match one
 * picture. Pictures are moved by a few pixels at random.
 */
public final class ClipObjective implements TrainObjective {
  private static final int MAX_SHIFT = 3;
  private static final float MAX_LOGIT_SCALE = (float) Math.log(100);

  private final Backend backend;
  private final ClipModel clip;
  private final ClipTokenizer tokenizer;
  private final List<List<Captioned>> groups;
  private final BatchSampler sampler;
  private final long seed;

  /** A picture and the captions that fit it. */
  public record Captioned(RgbImage image, List<String> captions) {}

  public ClipObjective(Backend backend, ClipModel clip, ClipTokenizer tokenizer, List<List<Captioned>> groups,
      int batch, long seed) {
    this.backend = backend;
    this.clip = clip;
    this.tokenizer = tokenizer;
    this.groups = groups;
    this.sampler = BatchSampler.withoutRepeats(seed, groups.size(), batch);
    this.seed = seed;
  }

  @Override
  public Map<String, Double> accumulate(int step) {
    Philox random = Philox.stream(seed, "clip", step);
    int[] batch = sampler.batch(step);
    RgbImage[] images = new RgbImage[batch.length];
    String[] captions = new String[batch.length];
    for (int i = 0; i < batch.length; i++) {
      List<Captioned> group = groups.get(batch[i]);
      Captioned chosen = group.get(random.nextInt(group.size()));
      images[i] = Pixels.shift(chosen.image(), shift(random), shift(random));
      captions[i] = chosen.captions().get(random.nextInt(chosen.captions().size()));
    }
    int[] ids = tokenizer.encodeBatch(List.of(captions));
    try (MemoryScope scope = backend.scope(); Tape textTape = new Tape(); Tape imageTape = new Tape()) {
      Tensor hidden = clip.text().forward(backend, ids, batch.length, textTape);
      Tensor texts = clip.text().project(hidden, ids, textTape);
      Tensor embeds = clip.vision().forward(ClipImages.toTensor(backend, List.of(images)), imageTape);
      float logitScale = clip.logitScale().value().toArray()[0];
      ContrastiveLoss loss = new ContrastiveLoss(embeds.toArray(), texts.toArray(), batch.length,
          Math.min(logitScale, MAX_LOGIT_SCALE));

      clip.vision().backward(backend.of(embeds.shape(), loss.dImages()), imageTape);
      Tensor dHidden = clip.text().projectBackward(backend.of(texts.shape(), loss.dTexts()), ids, textTape);
      clip.text().backward(dHidden, ids, textTape);
      float dScale = logitScale < MAX_LOGIT_SCALE ? (float) loss.dLogitScale() : 0f;
      backend.addTo(clip.logitScale().grad(), backend.of(Shape.of(), new float[] {dScale}));
      return Map.of(TrainLoop.LOSS, loss.loss(), "accuracy", loss.accuracy(), "logit_scale", (double) logitScale);
    }
  }

  private static int shift(Philox random) {
    return random.nextInt(2 * MAX_SHIFT + 1) - MAX_SHIFT;
  }
}
