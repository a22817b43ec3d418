package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;

/** Runs the frozen encoders over preference pairs, in chunks, so that few decoded pictures are in memory at a time. */
public final class PairEncoder {
  private static final int CHUNK = 32;

  private final LatentEncoder latents;
  private final ClipEmbedder clip;
  private final Shape latentShape;
  private final int resolution;

  private PairEncoder(LatentEncoder latents, ClipEmbedder clip, Shape latentShape, int resolution) {
    this.latents = latents;
    this.clip = clip;
    this.latentShape = latentShape;
    this.resolution = resolution;
  }

  /**
   * The encoders of a model.
   *
   * @param clip null when the objective reads no embeddings
   */
  public static PairEncoder of(Backend backend, StableDiffusion model, Clip clip) {
    AutoencoderKL vae = model.vae().value();
    int side = model.unet().value().config().sampleSize();
    return new PairEncoder(
        new LatentEncoder(backend, vae, model.textEncoder().value().model(), model.tokenizer()),
        clip == null ? null : new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()),
        Shape.of(side, side, vae.config().latentChannels()), side * vae.config().factor());
  }

  /**
   * Encodes all pairs: resize of the short side (Pillow's bilinear) and centre crop, as Diffusion-DPO's script.
   *
   * @param progress called with the number of pairs done
   */
  public EncodedPairs encode(List<PreferencePair> pairs, IntConsumer progress) throws IOException {
    Map<String, float[]> contexts = latents.contexts(pairs.stream().map(PreferencePair::caption).toList());
    List<float[]> winners = new ArrayList<>();
    List<float[]> losers = new ArrayList<>();
    List<double[]> winnerImages = new ArrayList<>();
    List<double[]> loserImages = new ArrayList<>();
    List<double[]> prompts = clip == null ? List.of()
        : clip.texts(pairs.stream().map(PreferencePair::caption).toList());
    for (int from = 0; from < pairs.size(); from += CHUNK) {
      List<PreferencePair> chunk = pairs.subList(from, Math.min(pairs.size(), from + CHUNK));
      List<RgbImage> w = new ArrayList<>();
      List<RgbImage> l = new ArrayList<>();
      for (PreferencePair pair : chunk) {
        w.add(prepare(pair.winner(), pair.id()));
        l.add(prepare(pair.loser(), pair.id()));
      }
      winners.addAll(latents.moments(w));
      losers.addAll(latents.moments(l));
      if (clip != null) {
        winnerImages.addAll(clip.images(w));
        loserImages.addAll(clip.images(l));
      }
      progress.accept(from + chunk.size());
    }
    return new EncodedPairs(latentShape, latents.contextShape(), winners, losers,
        pairs.stream().map(pair -> contexts.get(pair.caption())).toList(), latents.contexts(List.of("")).get(""),
        winnerImages, loserImages, prompts);
  }

  private RgbImage prepare(byte[] encoded, String id) throws IOException {
    RgbImage image = Resize.shortSide(ImageCodec.decode(encoded, id), resolution, Resize.Filter.BILINEAR);
    return Crops.center(image, resolution, resolution);
  }
}
