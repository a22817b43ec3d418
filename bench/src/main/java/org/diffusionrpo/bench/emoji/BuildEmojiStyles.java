package org.diffusionrpo.bench.emoji;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Builds the bundled data set from the unpacked npm packages; run through {@code emoji-styles.sh}. */
@Command(name = "build-emoji-styles", mixinStandardHelpOptions = true,
    description = "Writes one Parquet file with every shared emoji in every style.")
public final class BuildEmojiStyles implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(BuildEmojiStyles.class);

  @Parameters(index = "0", description = "Folder with the four unpacked packages.")
  private Path packages;

  @Parameters(index = "1", description = "The Parquet file to write.")
  private Path output;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new BuildEmojiStyles()).execute(arguments));
  }

  @Override public Integer call() throws IOException {
    Map<String, List<String>> incomplete = new TreeMap<>();
    List<Concept> concepts = new EmojiPackages(packages).concepts(incomplete);
    incomplete.forEach((id, styles) -> LOG.info("left out {}: not drawn by {}", id, styles));
    Map<String, Split> splits = ConceptSplit.assign(concepts);
    checkCaptions(concepts, splits);
    List<StyledImage> images = new ArrayList<>();
    for (Concept concept : concepts) {
      for (Map.Entry<String, Path> source : concept.sources().entrySet()) {
        RgbImage image = EmojiRenderer.render(source.getValue());
        requireInk(image, source.getValue());
        images.add(new StyledImage(concept.id(), source.getKey(), concept.caption(), splits.get(concept.id()),
            ImageCodec.encodePng(image)));
      }
    }
    StyledImages.write(output, images);
    LOG.info("{}: {} images of {} concepts", output, images.size(), concepts.size());
    return 0;
  }

  /** Captions are distinct, and held-out ones use only words of training captions. */
  private static void checkCaptions(List<Concept> concepts, Map<String, Split> splits) {
    Set<String> captions = new HashSet<>();
    Set<String> trained = new HashSet<>();
    for (Concept concept : concepts) {
      if (!captions.add(concept.caption())) {
        throw new IllegalStateException("two concepts share the caption '" + concept.caption() + "'");
      }
      if (splits.get(concept.id()) == Split.TRAIN) {
        trained.addAll(Captions.words(concept.caption()));
      }
    }
    for (Concept concept : concepts) {
      if (!trained.containsAll(Captions.words(concept.caption()))) {
        throw new IllegalStateException("held-out caption '" + concept.caption() + "' has a word no training one has");
      }
    }
  }

  /** An empty or a wholly dark picture means that a renderer failed silently. */
  private static void requireInk(RgbImage image, Path source) throws IOException {
    int sum = 0;
    boolean varied = false;
    for (byte value : image.rgb()) {
      sum += value & 0xff;
      varied |= value != image.rgb()[0];
    }
    if (!varied || sum == 0) {
      throw new IOException(source + ": nothing was drawn");
    }
  }
}
