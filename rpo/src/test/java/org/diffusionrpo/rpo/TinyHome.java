package org.diffusionrpo.rpo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.eval.StyleClassifier;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;

/** A stand-in for the project's folder: a tiny random model, drawn squares in five styles, a classifier of them. */
public final class TinyHome implements AutoCloseable {
  private static final String PROPERTY = "drpo.home";
  private static final List<String> STYLES = List.of("fluent", "google", "openmoji", "sketch", "twitter");
  private static final String[] COLOURS = {"red", "green", "blue", "grey"};
  private static final int CONCEPTS = 8;
  private static final int SIDE = 64;

  private final String before = System.getProperty(PROPERTY);

  /** Makes the folder and lets {@link Bundled} point to it until this is closed. */
  public TinyHome(Path folder) throws IOException {
    System.setProperty(PROPERTY, folder.toString());
    Files.createDirectories(Bundled.data().getParent());
    StyledImages.write(Bundled.data(), images());
    StyledImages images = StyledImages.load(Bundled.data());
    StyleClassifier.train(StyleClassifier.examples(images, Split.TRAIN)).save(Bundled.styleClassifier());
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend);
        Clip clip = TinyModel.createClip(backend)) {
      Path clipFolder = folder.resolve("clip");
      clip.save(clipFolder, DType.F32);
      new StableDiffusion(model.index(), model.unet(), model.vae(), model.textEncoder(), model.tokenizer(),
          model.scheduler(), clipFolder).save(Bundled.model(), DType.F16);
    }
  }

  /** Makes every picture of one split unreadable. */
  public void damage(Split split) throws IOException {
    List<StyledImage> all = new ArrayList<>();
    for (StyledImage image : StyledImages.load(Bundled.data()).all()) {
      byte[] png = image.split() == split ? new byte[] {1, 2, 3} : image.png();
      all.add(new StyledImage(image.concept(), image.style(), image.caption(), image.split(), png));
    }
    StyledImages.write(Bundled.data(), all);
  }

  private static List<StyledImage> images() throws IOException {
    List<StyledImage> images = new ArrayList<>();
    for (Split split : Split.values()) {
      for (int c = 0; c < CONCEPTS; c++) {
        String caption = COLOURS[c % COLOURS.length] + (c < COLOURS.length ? " cat " : " dog ") + split.label();
        for (int s = 0; s < STYLES.size(); s++) {
          images.add(new StyledImage(split.label() + c, STYLES.get(s), caption, split, square(c, s)));
        }
      }
    }
    return images;
  }

  /** A square whose place and size belong to the concept, its brightness and stripes to the style. */
  private static byte[] square(int concept, int style) throws IOException {
    byte[] rgb = new byte[3 * SIDE * SIDE];
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        boolean inside = x > 4 + concept && x < 50 - 3 * concept && y > 6 && y < 56 - concept;
        int value = !inside ? 255 : (x + y) % (style + 2) == 0 ? 0 : 50 * style;
        for (int channel = 0; channel < 3; channel++) {
          rgb[3 * (y * SIDE + x) + channel] = (byte) (channel == concept % 3 && inside ? 255 - value : value);
        }
      }
    }
    return ImageCodec.encodePng(new RgbImage(SIDE, SIDE, rgb));
  }

  @Override
  public void close() {
    if (before == null) {
      System.clearProperty(PROPERTY);
    } else {
      System.setProperty(PROPERTY, before);
    }
  }
}
