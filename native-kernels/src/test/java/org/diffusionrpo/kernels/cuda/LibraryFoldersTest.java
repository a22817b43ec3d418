package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryFoldersTest {
  @TempDir Path folder;

  @AfterEach
  void forgetTheProperties() {
    System.clearProperty(CudaLibraries.PROPERTY);
    System.clearProperty(CudaLibraries.ONLY_PROPERTY);
  }

  @Test
  void theNewestToolkitComesFirstAndOtherVersionsOfCudaLast() throws IOException {
    for (String name : List.of("cuda", "cuda-12", "cuda-12.2", "cuda-12.10", "cuda-12.9", "cuda-13.0")) {
      Files.createDirectories(folder.resolve(name).resolve("lib64"));
    }
    assertEquals(List.of("cuda-12.10", "cuda-12.9", "cuda-12.2", "cuda-12", "cuda"), toolkits());
    Files.createFile(folder.resolve("cuda/lib64/libcudart.so.12"));
    assertEquals(List.of("cuda", "cuda-12.10", "cuda-12.9", "cuda-12.2", "cuda-12"), toolkits());
  }

  @Test
  void packagesOfPythonComeBeforeTheSystem() throws IOException {
    Path python = Files.createDirectories(folder.resolve("lib/python3.11"));
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      List<Path> all = List.copyOf(new LibraryFolders(Map.of(variable, folder.toString()), folder).all());
      int cudnn = all.indexOf(python.resolve("site-packages/nvidia/cudnn/lib"));
      assertTrue(cudnn >= 0 && cudnn < all.indexOf(Path.of("/usr/lib/x86_64-linux-gnu")), all::toString);
    }
  }

  @Test
  void whatTheProfileFetchedIsFound() throws IOException {
    Path pom = Path.of("pom.xml");
    assumeTrue(Files.exists(pom), "not in the folder of the module");
    String home = System.setProperty("user.home", folder.toString());
    try {
      String target = Files.readString(pom).replaceFirst("(?s).*<outputDirectory>\\$\\{cache-folder}/([^<]*)<.*", "$1");
      Path fetched = UserFolders.cache().resolveSibling(target).resolve("org/bytedeco/cuda/linux-x86_64");
      assertTrue(new LibraryFolders(Map.of(), folder).all().contains(fetched), fetched::toString);
    } finally {
      System.setProperty("user.home", home);
    }
  }

  @Test
  void namedFoldersCanBeTheOnlyOnes() {
    System.setProperty(CudaLibraries.PROPERTY, "/a:/b");
    System.setProperty(CudaLibraries.ONLY_PROPERTY, "true");
    LibraryFolders folders = new LibraryFolders(Map.of("LD_LIBRARY_PATH", "/c", "CUDA_HOME", "/d"), folder);
    assertEquals(List.of(Path.of("/a"), Path.of("/b")), List.copyOf(folders.all()));
    System.clearProperty(CudaLibraries.PROPERTY);
    assertEquals(List.of(), List.copyOf(folders.all()));
    assertNull(CudaLibraries.Library.DRIVER.find());
  }

  private List<String> toolkits() {
    return new LibraryFolders(Map.of(), folder).all().stream().filter(path -> path.startsWith(folder))
        .map(path -> path.getParent().getFileName().toString()).toList();
  }
}
