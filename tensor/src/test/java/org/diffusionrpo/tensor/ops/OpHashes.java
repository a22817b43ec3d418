package org.diffusionrpo.tensor.ops;

import java.util.Arrays;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;

/** The bits of results as one number; as a program, those of the largest cases on the CPU, one line each. */
final class OpHashes {
  /** Cases of each operation, from the end of its list. */
  private static final int LARGEST = 2;

  private OpHashes() {}

  public static void main(String[] args) {
    Backend backend = new CpuBackend();
    StringBuilder lines = new StringBuilder();
    OpConformanceTest.byOperation().values().forEach(cases -> {
      for (OpCase opCase : cases.subList(Math.max(0, cases.size() - LARGEST), cases.size())) {
        lines.append(opCase).append(": ").append(of(opCase, backend)).append('\n');
      }
    });
    System.out.print(lines);
  }

  static int of(OpCase opCase, Backend backend) {
    int hash = 1;
    for (double[] values : opCase.run(backend).values()) {
      hash = 31 * hash + Arrays.hashCode(values);
    }
    return hash;
  }
}
