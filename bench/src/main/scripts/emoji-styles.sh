#!/bin/sh
# Rebuilds rpo/data/emoji-styles.parquet from four npm packages of fixed versions.
# Usage, in the root of the repository: bench/src/main/scripts/emoji-styles.sh SCRATCH [OUTPUT]
# SCRATCH is a folder outside the repository (about 500 MB). Needs npm, tar and Maven.
set -eu

scratch=${1:?usage: emoji-styles.sh SCRATCH [OUTPUT]}
output=${2:-rpo/data/emoji-styles.parquet}

fetch() { # NAME VERSION: SCRATCH/<name without scope>
  folder="$scratch/${1##*/}"
  [ -d "$folder" ] && return
  archive=$(npm pack --silent --pack-destination "$scratch" "$1@$2")
  mkdir "$folder.partial"
  tar -xzf "$scratch/$archive" -C "$folder.partial" --strip-components=1
  mv "$folder.partial" "$folder"
}

mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
fetch emoji-datasource-google 16.0.0
fetch emoji-datasource-twitter 16.0.0
fetch @lobehub/fluent-emoji-3d 1.1.0
fetch openmoji 16.0.0

mvn -q -B -pl bench -am -DskipTests package dependency:build-classpath -Dmdep.outputFile="$scratch/classpath"
java --add-modules=jdk.incubator.vector -Djava.awt.headless=true -cp "bench/target/classes:$(cat "$scratch/classpath")" \
  org.diffusionrpo.bench.emoji.BuildEmojiStyles "$scratch" "$output"
