package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where this user's files may be kept. Containers often run as a number that has no name and no home. */
final class UserFolders {
  private static final Logger LOG = LoggerFactory.getLogger(UserFolders.class);

  private static final String NAME = "diffusion-rpo";

  private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rwx------");

  private UserFolders() {}

  /** The folder of files that can be made again, by the specification of XDG; null for a user without a home. */
  static Path cache() {
    String xdg = System.getenv("XDG_CACHE_HOME"); // relative values are to be ignored, says the specification
    if (xdg != null && xdg.startsWith("/")) {
      return Path.of(xdg, NAME);
    }
    String home = System.getProperty("user.home"); // "?" without an entry in passwd
    return home.startsWith("/") ? Path.of(home, ".cache", NAME) : null;
  }

  /** One per user, the same at each start; none where somebody else has the name, whose libraries would be loaded. */
  static Optional<Path> temporary() {
    Object user = user();
    Path path = Path.of(System.getProperty("java.io.tmpdir"), NAME + "-" + user);
    try {
      Files.createDirectory(path, PosixFilePermissions.asFileAttribute(OWN));
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("{} is not new: {}", path, e.toString());
    }
    return isOwn(path, user) ? Optional.of(path) : Optional.empty();
  }

  private static boolean isOwn(Path path, Object user) {
    try {
      return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
          && Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS).equals(user)
          && Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS).equals(OWN);
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  /** The number that the kernel knows this process by; the name may be "?". */
  private static Object user() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException | UnsupportedOperationException e) {
      return System.getProperty("user.name").replaceAll("\\W", "_"); // not Linux, which has no GPU here
    }
  }

  /** Makes the folder if it is not there. */
  static boolean isWritable(Path path) {
    try {
      return Files.isWritable(Files.createDirectories(path));
    } catch (IOException e) {
      return false;
    }
  }
}
