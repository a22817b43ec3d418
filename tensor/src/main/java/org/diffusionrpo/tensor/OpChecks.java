package org.diffusionrpo.tensor;

/** Shape checks that all backends share, so that a mistake gives the same message everywhere. */
public final class OpChecks {
  private OpChecks() {}

  /** All tensors must live on {@code backend}; null is an absent optional argument. */
  public static void sameBackend(String op, Backend backend, Tensor... tensors) {
    for (Tensor tensor : tensors) {
      if (tensor != null && tensor.backend() != backend) {
        throw new IllegalArgumentException(op + ": tensor " + tensor.shape() + " belongs to another backend ("
            + tensor.backend().name() + ")");
      }
    }
  }

  public static void sameShape(String op, Tensor expected, Tensor... others) {
    for (Tensor other : others) {
      require(other.shape().equals(expected.shape()), op, "shapes differ", expected, other);
    }
  }

  public static void sameSize(String op, Tensor expected, Tensor other) {
    require(other.size() == expected.size(), op, "sizes differ", expected, other);
  }

  /** v holds the trailing axes of x. */
  public static void trailing(String op, Tensor x, Tensor v) {
    int offset = x.shape().rank() - v.shape().rank();
    boolean fits = offset >= 0;
    for (int axis = 0; fits && axis < v.shape().rank(); axis++) {
      fits = v.dim(axis) == x.dim(axis + offset);
    }
    require(fits, op, "the second must be the trailing axes of the first", x, v);
  }

  /** v is [N, C] for x [N, ..., C]. */
  public static void perSample(String op, Tensor x, Tensor v) {
    require(v.shape().rank() == 2 && x.shape().rank() >= 2 && v.dim(0) == x.dim(0) && v.dim(1) == x.dim(-1), op,
        "expected [N, ..., C] and [N, C]", x, v);
  }

  public static void concat(String op, Tensor y, Tensor a, Tensor b, int axis) {
    boolean fits = y.shape().rank() == a.shape().rank() && y.shape().rank() == b.shape().rank();
    for (int i = 0; fits && i < y.shape().rank(); i++) {
      fits = i == axis ? y.dim(i) == a.dim(i) + b.dim(i) : y.dim(i) == a.dim(i) && y.dim(i) == b.dim(i);
    }
    require(fits, op, "parts do not make up the whole along axis " + axis, y, a, b);
  }

  /** x [..., I], weight [O, I], y [..., O], bias [O] or null. */
  public static void linear(String op, Tensor y, Tensor x, Tensor weight, Tensor bias) {
    require(weight.shape().rank() == 2 && x.dim(-1) == weight.dim(1) && y.dim(-1) == weight.dim(0)
        && x.shape().sizeBefore(-1) == y.shape().sizeBefore(-1), op, "expected y [.., O], x [.., I], w [O, I]", y, x,
        weight);
    require(bias == null || bias.size() == weight.dim(0), op, "bias must be [O]", weight, bias);
  }

  /** Either gradient may be null. */
  public static void linearGradients(String op, Tensor dWeight, Tensor dBias, Tensor dy, Tensor x) {
    if (dWeight != null) {
      linear(op, dy, x, dWeight, dBias);
    } else {
      require(dBias == null || dBias.size() == dy.dim(-1), op, "bias must be [O]", dy, dBias);
    }
  }

  /** x [N, H, W, I], weight [O, Kh, Kw, I], y [N, Ho, Wo, O], bias [O] or null. */
  public static void conv2d(String op, Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry) {
    require(x.shape().rank() == 4 && y.shape().rank() == 4 && weight.shape().rank() == 4 && x.dim(0) == y.dim(0)
        && x.dim(3) == weight.dim(3) && y.dim(3) == weight.dim(0)
        && y.dim(1) == geometry.outHeight(x.dim(1), weight.dim(1))
        && y.dim(2) == geometry.outWidth(x.dim(2), weight.dim(2)), op,
        "expected y [N, Ho, Wo, O], x [N, H, W, I], w [O, Kh, Kw, I] with " + geometry, y, x, weight);
    require(bias == null || bias.size() == weight.dim(0), op, "bias must be [O]", weight, bias);
  }

  /** Either gradient may be null. */
  public static void conv2dGradients(String op, Tensor dWeight, Tensor dBias, Tensor dy, Tensor x,
      Conv2dGeometry geometry) {
    if (dWeight != null) {
      conv2d(op, dy, x, dWeight, dBias, geometry);
    } else {
      require(dBias == null || dBias.size() == dy.dim(-1), op, "bias must be [O]", dy, dBias);
    }
  }

  /** x [N, ..., C], mean and rstd [N, groups]; the others, each [C] or null, are gamma, beta or their gradients. */
  public static void groupNorm(String op, Tensor x, Tensor mean, Tensor rstd, int groups, Tensor... perChannel) {
    require(groups >= 1 && x.dim(-1) % groups == 0, op, groups + " groups do not divide the channels", x);
    require(mean.size() == x.dim(0) * groups && rstd.size() == mean.size(), op, "mean and rstd must be [N, groups]",
        x, mean, rstd);
    perChannel(op, x, perChannel);
  }

  /** mean and rstd hold one value per row; the others, each [C] or null, are gamma, beta or their gradients. */
  public static void layerNorm(String op, Tensor x, Tensor mean, Tensor rstd, Tensor... perChannel) {
    require(mean.size() == x.shape().sizeBefore(-1) && rstd.size() == mean.size(), op,
        "mean and rstd must hold one value per row", x, mean, rstd);
    perChannel(op, x, perChannel);
  }

  private static void perChannel(String op, Tensor x, Tensor... perChannel) {
    for (Tensor tensor : perChannel) {
      require(tensor == null || tensor.size() == x.dim(-1), op, "gamma, beta and their gradients must be [C]", x,
          tensor);
    }
  }

  public static void geglu(String op, Tensor y, Tensor x) {
    require(x.dim(-1) == 2 * y.dim(-1) && x.size() == 2 * y.size(), op, "expected y [.., C], x [.., 2 C]", y, x);
  }

  public static void attention(String op, Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads) {
    require(heads >= 1 && q.shape().rank() == 3 && q.shape().equals(out.shape()) && k.shape().equals(v.shape())
        && k.shape().rank() == 3 && q.dim(0) == k.dim(0) && q.dim(2) == k.dim(2) && q.dim(2) % heads == 0, op,
        "expected q, out [N, Tq, heads * D] and k, v [N, Tk, heads * D] with " + heads + " heads", q, k, v);
    require(lse.size() == q.dim(0) * heads * q.dim(1), op, "lse must be [N, heads, Tq]", q, lse);
  }

  public static void upsample(String op, Tensor y, Tensor x) {
    require(x.shape().rank() == 4 && y.shape().rank() == 4 && x.dim(0) == y.dim(0) && x.dim(3) == y.dim(3), op,
        "expected [N, H, W, C] with equal N and C", y, x);
  }

  public static void embedding(String op, Tensor y, Tensor table, int[] ids) {
    require(table.shape().rank() == 2 && y.dim(-1) == table.dim(1) && y.shape().sizeBefore(-1) == ids.length, op,
        "expected one row of y for each of " + ids.length + " ids and a table [V, C]", y, table);
    for (int id : ids) {
      if (id < 0 || id >= table.dim(0)) {
        throw new IllegalArgumentException(op + ": id " + id + " is not in a table of " + table.dim(0) + " rows");
      }
    }
  }

  /** rows and columns factor the second moment of w as {@link Backend#adafactor} says. */
  public static void adafactor(String op, Tensor w, Tensor g, Tensor rows, Tensor columns) {
    sameShape(op, w, g);
    boolean fits = switch (w.shape().rank()) {
      case 2 -> columns != null && rows.size() == w.dim(0) && columns.size() == w.dim(1);
      case 4 -> columns != null && rows.size() == w.size() / w.dim(2) && columns.size() == w.size() / w.dim(1);
      default -> columns == null && rows.size() == w.size();
    };
    require(fits, op, "rows and columns do not factor the weight", w, rows, columns);
  }

  public static void values(String op, Shape shape, float[] values) {
    if (values.length != shape.size()) {
      throw new IllegalArgumentException(op + ": " + values.length + " values for shape " + shape);
    }
  }

  /** The piece must lie within both the tensor and the host values. */
  public static void piece(String op, Tensor y, int first, float[] values, int count) {
    if (first < 0 || count < 0 || count > values.length || first > y.size() - count) {
      throw new IllegalArgumentException(op + ": elements " + first + " to " + ((long) first + count) + " of shape "
          + y.shape() + " from " + values.length + " values");
    }
  }

  public static void require(boolean ok, String op, String rule, Tensor... shown) {
    if (ok) {
      return;
    }
    StringBuilder message = new StringBuilder(op).append(": ").append(rule).append("; got");
    for (Tensor tensor : shown) {
      message.append(' ').append(tensor == null ? "none" : tensor.shape());
    }
    throw new IllegalArgumentException(message.toString());
  }
}
