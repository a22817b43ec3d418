package org.diffusionrpo.rpo.eval;

import java.util.Arrays;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;

/**
 * Hand-made numbers that tell drawing styles apart and know nothing of CLIP: palettes, colourfulness, strokes, shading,
 * texture. All are shares or means over pixels, so they depend little on what is drawn and not at all on where.
 *
 * <p>The picture is smoothed once before measuring and small differences are ignored, because generated pictures are
 * slightly softer and noisier than real ones and the measures shall not see that. Texture is measured at full and at
 * half size: what a style does over several pixels stands out of the noise there.
 */
final class StyleFeatures {
  /** Number of features of any picture. */
  static final int COUNT = of(new RgbImage(1, 1, new byte[3])).length;

  private static final double WHITE = 0.93;
  private static final double DARK = 0.35;
  private static final double EDGE = 0.08;

  /** Differences below this are noise of a generated picture rather than drawing. */
  private static final double NOISE = 0.025;

  private final int width;
  private final int height;
  private final double[][] rgb; // [3][height * width] in [0, 1], smoothed
  private final double[] luma;
  private final double[] chroma;
  private final double[] gradient;
  private final double[] gradientX;
  private final double[] gradientY;
  private final double[] features = new double[192];
  private int length;

  private StyleFeatures(RgbImage image) {
    width = image.width();
    height = image.height();
    int n = width * height;
    rgb = new double[3][n];
    for (int c = 0; c < 3; c++) {
      for (int p = 0; p < n; p++) {
        rgb[c][p] = (image.rgb()[3 * p + c] & 0xFF) / 255.0;
      }
      rgb[c] = smoothed(rgb[c]);
    }
    luma = new double[n];
    chroma = new double[n];
    for (int p = 0; p < n; p++) {
      double r = rgb[0][p];
      double g = rgb[1][p];
      double b = rgb[2][p];
      luma[p] = 0.299 * r + 0.587 * g + 0.114 * b;
      chroma[p] = Math.max(r, Math.max(g, b)) - Math.min(r, Math.min(g, b));
    }
    gradient = new double[n];
    gradientX = new double[n];
    gradientY = new double[n];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int p = y * width + x;
        double dx = (at(luma, x + 1, y) - at(luma, x - 1, y)) / 2;
        double dy = (at(luma, x, y + 1) - at(luma, x, y - 1)) / 2;
        gradientX[p] = dx;
        gradientY[p] = dy;
        gradient[p] = Math.sqrt(dx * dx + dy * dy);
      }
    }
  }

  /** The features of a picture; their number is the same for all pictures. */
  static double[] of(RgbImage image) {
    StyleFeatures full = new StyleFeatures(image);
    full.palette();
    full.hues();
    full.tones();
    full.texture();
    StyleFeatures half = new StyleFeatures(halved(image));
    half.texture();
    double[] all = Arrays.copyOf(full.features, full.length + half.length);
    System.arraycopy(half.features, 0, all, full.length, half.length);
    return all;
  }

  private void texture() {
    strokes();
    edges();
    shading();
    patterns(1);
    patterns(2);
  }

  private static RgbImage halved(RgbImage image) {
    int width = Math.max(image.width() / 2, 1);
    int height = Math.max(image.height() / 2, 1);
    return Resize.resize(image, width, height, Resize.Filter.BOX);
  }

  /** Coarse colour cube, and how much of the drawing its few commonest colours cover. */
  private void palette() {
    double[] coarse = new double[64];
    double[] fine = new double[512];
    for (int p = 0; p < luma.length; p++) {
      coarse[cell(p, 4)]++;
      fine[cell(p, 8)]++;
    }
    addRoots(coarse);
    double ink = luma.length - fine[511]; // the last cell is the white ground
    fine[511] = 0;
    add(ink / luma.length);
    Arrays.sort(fine);
    double used = 0;
    for (int k = 1; k <= 6; k++) {
      used += fine[fine.length - k];
      add(used / Math.max(ink, 1));
    }
    add(Math.log1p(Arrays.stream(fine).filter(count -> count > 1).count()));
  }

  private int cell(int p, int levels) {
    int cell = 0;
    for (int c = 0; c < 3; c++) {
      cell = cell * levels + bin(rgb[c][p], levels);
    }
    return cell;
  }

  /** Hue circle, weighted with colourfulness because the hue of a grey is noise. */
  private void hues() {
    double[] hues = new double[12];
    for (int p = 0; p < luma.length; p++) {
      double colour = chroma[p] - 2 * NOISE;
      if (colour > 0) {
        double alpha = rgb[0][p] - (rgb[1][p] + rgb[2][p]) / 2;
        double beta = Math.sqrt(3) / 2 * (rgb[1][p] - rgb[2][p]);
        hues[bin(Math.atan2(beta, alpha) / (2 * Math.PI) + 0.5, hues.length)] += colour;
      }
    }
    addRoots(hues);
  }

  private void tones() {
    double[] lumas = new double[8];
    double[] chromas = new double[8];
    for (int p = 0; p < luma.length; p++) {
      lumas[bin(luma[p], 8)]++;
      chromas[bin(chroma[p], 8)]++;
    }
    addRoots(lumas);
    addRoots(chromas);
  }

  /** Outlines: how much is dark, how colourless the dark is, how dark and colourful the edges are. */
  private void strokes() {
    double dark = 0;
    double darkChroma = 0;
    double ink = 0;
    double edges = 0;
    double edgeLuma = 0;
    double edgeChroma = 0;
    for (int p = 0; p < luma.length; p++) {
      ink += luma[p] < WHITE ? 1 : 0;
      if (luma[p] < DARK) {
        dark++;
        darkChroma += chroma[p];
      }
      if (gradient[p] > EDGE) {
        edges++;
        edgeLuma += luma[p];
        edgeChroma += chroma[p];
      }
    }
    add(dark / luma.length);
    add(dark / Math.max(ink, 1));
    add(darkChroma / Math.max(dark, 1));
    add(edges / luma.length);
    add(edges / Math.max(ink, 1));
    add(edgeLuma / Math.max(edges, 1));
    add(edgeChroma / Math.max(edges, 1));
  }

  /** Sizes of the gradient on a logarithmic scale, and its directions modulo half a turn. */
  private void edges() {
    double[] sizes = new double[8];
    double[] directions = new double[8];
    for (int p = 0; p < luma.length; p++) {
      sizes[logarithmicBin(gradient[p], 8)]++;
      if (gradient[p] > NOISE) {
        double turn = Math.atan2(gradientY[p], gradientX[p]) / Math.PI + 1;
        directions[bin(turn - Math.floor(turn), 8)] += gradient[p] - NOISE;
      }
    }
    addRoots(sizes);
    addRoots(directions);
  }

  /** Flat fills against gradients and highlights: sizes of the second difference, and flat shares of the drawing. */
  private void shading() {
    double[] curvatures = new double[6];
    double[] limits = {NOISE / 2, NOISE, 2 * NOISE};
    double[] flat = new double[limits.length];
    double ink = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int p = y * width + x;
        double laplacian = at(luma, x + 1, y) + at(luma, x - 1, y) + at(luma, x, y + 1) + at(luma, x, y - 1)
            - 4 * luma[p];
        curvatures[logarithmicBin(Math.abs(laplacian), 6)]++;
        if (luma[p] < WHITE) {
          ink++;
          for (int k = 0; k < limits.length; k++) {
            flat[k] += gradient[p] < limits[k] ? 1 : 0;
          }
        }
      }
    }
    addRoots(curvatures);
    for (double share : flat) {
      add(share / Math.max(ink, 1));
    }
  }

  /** Rotation-invariant uniform local binary patterns. Ojala et al. 2002, IEEE TPAMI 24(7), equation 12, P = 8. */
  private void patterns(int radius) {
    int[] dx = {1, 1, 0, -1, -1, -1, 0, 1};
    int[] dy = {0, 1, 1, 1, 0, -1, -1, -1};
    double[] histogram = new double[10];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        double centre = luma[y * width + x];
        int ones = 0;
        int changes = 0;
        boolean before = at(luma, x + radius, y - radius) >= centre + 2 * NOISE;
        for (int k = 0; k < 8; k++) {
          boolean now = at(luma, x + radius * dx[k], y + radius * dy[k]) >= centre + 2 * NOISE;
          ones += now ? 1 : 0;
          changes += now != before ? 1 : 0;
          before = now;
        }
        histogram[changes <= 2 ? ones : 9]++;
      }
    }
    addRoots(histogram);
  }

  /** Binomial 3 x 3 filter with repeated borders, first along rows, then along columns. */
  private double[] smoothed(double[] plane) {
    double[] rows = new double[plane.length];
    double[] smooth = new double[plane.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        rows[y * width + x] = (at(plane, x - 1, y) + 2 * at(plane, x, y) + at(plane, x + 1, y)) / 4;
      }
    }
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        smooth[y * width + x] = (at(rows, x, y - 1) + 2 * at(rows, x, y) + at(rows, x, y + 1)) / 4;
      }
    }
    return smooth;
  }

  private double at(double[] plane, int x, int y) {
    int row = Math.min(Math.max(y, 0), height - 1);
    int column = Math.min(Math.max(x, 0), width - 1);
    return plane[row * width + column];
  }

  /** Bins from {@link #NOISE} to 1 on a logarithmic scale; the first also takes everything smaller. */
  private static int logarithmicBin(double size, int bins) {
    return size <= NOISE ? 0 : bin(1 - Math.log(size) / Math.log(NOISE), bins);
  }

  private static int bin(double share, int bins) {
    return Math.min(Math.max((int) (share * bins), 0), bins - 1);
  }

  /** Square roots of shares: their distance is Hellinger's, which does not let the white ground drown the rest. */
  private void addRoots(double[] counts) {
    for (double count : counts) {
      add(Math.sqrt(count / luma.length));
    }
  }

  private void add(double value) {
    features[length++] = value;
  }
}
