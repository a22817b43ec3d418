package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** The bundled data set: every concept in every style, one Parquet row per image. */
public final class StyledImages {
  private static final MessageType SCHEMA = MessageTypeParser.parseMessageType("""
      message styled_image {
        required binary concept (STRING);
        required binary style (STRING);
        required binary caption (STRING);
        required binary split (STRING);
        required binary png;
      }""");

  private final List<StyledImage> images;

  private StyledImages(List<StyledImage> images) {
    this.images = List.copyOf(images);
  }

  /** Reads a whole file; images stay encoded. */
  public static StyledImages load(Path file) throws IOException {
    return load(file, EnumSet.allOf(Split.class));
  }

  /** Keeps the images of some splits alone, so that a search cannot see what it must not. */
  public static StyledImages load(Path file, Set<Split> splits) throws IOException {
    if (!ParquetTable.footer(file).schema().equals(SCHEMA)) {
      throw new IOException(file + ": expected the columns concept, style, caption, split and png");
    }
    List<StyledImage> images = new ArrayList<>();
    ParquetTable.read(file, SCHEMA, row -> {
      StyledImage image = fromRow(row, file);
      if (splits.contains(image.split())) {
        images.add(image);
      }
      return true;
    });
    return new StyledImages(images);
  }

  /** Writes a file that {@link #load} reads; the images keep their order. */
  public static void write(Path file, Collection<StyledImage> images) throws IOException {
    try (ParquetTable.RowWriter writer = ParquetTable.create(file, SCHEMA, "png")) {
      for (StyledImage image : images) {
        Group row = new SimpleGroup(SCHEMA);
        row.append("concept", image.concept()).append("style", image.style()).append("caption", image.caption())
            .append("split", image.split().label()).append("png", Binary.fromConstantByteArray(image.png()));
        writer.write(row);
      }
    }
  }

  /** All images, ordered by concept, then by style. */
  public List<StyledImage> all() {
    return images;
  }

  /** The images of one split, in file order. */
  public List<StyledImage> of(Split split) {
    return images.stream().filter(image -> image.split() == split).toList();
  }

  /** The images of one split in one style, in file order. */
  public List<StyledImage> of(Split split, String style) {
    return of(split).stream().filter(image -> image.style().equals(style)).toList();
  }

  /** The names of the styles, sorted. */
  public List<String> styles() {
    TreeSet<String> names = new TreeSet<>();
    images.forEach(image -> names.add(image.style()));
    return List.copyOf(names);
  }

  /** Concept to style to image for one split, in file order. */
  public Map<String, Map<String, StyledImage>> byConcept(Split split) {
    Map<String, Map<String, StyledImage>> concepts = new LinkedHashMap<>();
    of(split).forEach(image ->
        concepts.computeIfAbsent(image.concept(), key -> new LinkedHashMap<>()).put(image.style(), image));
    return concepts;
  }

  private static StyledImage fromRow(Group row, Path file) throws IOException {
    String split = row.getString("split", 0);
    try {
      return new StyledImage(row.getString("concept", 0), row.getString("style", 0), row.getString("caption", 0),
          Split.of(split), row.getBinary("png", 0).getBytes());
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }
}
