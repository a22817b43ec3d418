package org.diffusionrpo.bench.versus;


import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The lines of the comparison: what one step of Stable Diffusion 1.5 at 64 x 64 latents is made of, and whole steps. */
final class Rows {
  private static final List<Row> ALL = all();

  private Rows() {}

  /** The rows in whose name the pattern is found, in the order of the table. */
  static List<Row> matching(Pattern pattern) {
    return ALL.stream().filter(row -> pattern.matcher(row.name()).find()).toList();
  }

  /** The row of that name; products may have any size. */
  static Row named(String name) {
    return ALL.stream().filter(row -> row.name().equals(name)).findFirst().orElseGet(() -> Row.Gemm.parse(name));
  }

  private static List<Row> all() {
    List<Row> rows = new ArrayList<>();
    // Linear layers at three resolutions and 3x3 convolutions as products, down to the 8 x 8 bottom with its 64 rows.
    for (String size : List.of("4096x320x320", "4096x320x2880", "1024x1280x11520", "1024x640x640", "256x1280x1280",
        "64x1280x11520", "4096x2560x320", "4096x320x1280")) {
      rows.add(Row.Gemm.parse("gemm NT " + size));
    }
    rows.add(Row.Gemm.parse("gemm NN 4096x320x2560"));
    rows.add(Row.Gemm.parse("gemm NN 1024x640x640"));
    rows.add(Row.Gemm.parse("gemm TN 2560x320x4096"));
    rows.add(Row.Gemm.parse("gemm TN 640x640x1024"));
    for (int[] size : new int[][] {{3, 2, 320, 64}, {3, 2, 640, 32}, {3, 2, 1280, 16}, {3, 1, 320, 64},
        {1, 2, 320, 64}, {1, 2, 640, 32}}) {
      for (Pass pass : Pass.values()) {
        rows.add(new Row.Convolution(pass, size[0], size[1], size[2], size[3], size[2]));
      }
    }
    for (int[] size : new int[][] {{4096, 4096, 40}, {1024, 1024, 80}, {4096, 77, 40}, {1024, 77, 80}}) {
      for (Pass pass : Pass.values()) {
        rows.add(new Row.Attention(pass, 2, 8, size[0], size[1], size[2]));
      }
    }
    for (Pass pass : Pass.values()) {
      rows.add(new Row.GroupNormSilu(pass, 2, 320, 64));
    }
    for (Pass pass : Pass.values()) {
      rows.add(new Row.LayerNorm(pass, 2, 4096, 320));
    }
    for (Pass pass : Pass.values()) {
      rows.add(new Row.Geglu(pass, 2, 4096, 2560));
    }
    rows.add(new Row.UNet(false, 1, 64, false));
    rows.add(new Row.UNet(true, 2, 64, false));
    rows.add(new Row.UNet(true, 2, 64, true));
    rows.add(new Row.RpoStep(16));
    return List.copyOf(rows);
  }
}
