package org.diffusionrpo.bench.emoji;

import java.nio.file.Path;
import java.util.Map;

/**
 * One emoji that every style draws.
 *
 * @param id code points in hexadecimal joined by '-', without the variation selector fe0f
 * @param subgroup the Unicode subgroup, such as {@code animal-mammal}
 * @param sources style to the picture in that style
 */
record Concept(String id, String subgroup, String caption, Map<String, Path> sources) {}
