#!/bin/sh
# Compares us with libtorch and OpenBLAS: fetches and builds what is needed, then times. Options: versus.sh --help
# Usage, in the root of the repository: bench/src/main/scripts/versus.sh [OPTIONS] [ROW...]
# Our side runs with the options of Java that drpo sets; VERSUS_JAVA_OPTS adds to them, VERSUS_MAVEN_OPTS to Maven's.
set -eu

# shellcheck disable=SC2086 # the options are words
mvn -q -B -Poracle -pl bench -am -DskipTests ${VERSUS_MAVEN_OPTS:-} package \
  dependency:build-classpath -Dmdep.outputFile="$PWD/bench/target/versus-classpath"
# shellcheck disable=SC2086
exec java --add-modules=jdk.incubator.vector -XX:+UseSerialGC -Xmn128m -XX:PretenureSizeThreshold=2m \
  -XX:MaxRAMPercentage=75 ${VERSUS_JAVA_OPTS:-} \
  -cp "bench/target/classes:$(cat bench/target/versus-classpath)" org.diffusionrpo.bench.versus.Versus "$@"
