#!/usr/bin/env bash
# Fails, and names the tests, when a test of any module failed or gave no result since a point in time. For builds that
# go on after failed tests, as those of the profile gpu do.
#
#   tests-passed.sh TIME        as date -d reads it
set -euo pipefail
started=$(date -d "$1" +%s)
cd "$(dirname "${BASH_SOURCE[0]}")/../../../.."

status=0
for classes in */target/test-classes; do
  while read -r class; do
    report=${classes%/test-classes}/surefire-reports/TEST-${class//\//.}.xml
    if [[ ! -f $report ]] || (($(stat -c %Y "$report") < started)); then
      echo "No result: $class"
      status=1
    elif grep -qE '<(failure|error)\b' "$report"; then
      echo "Failed: $class"
      status=1
    fi
  done < <(cd "$classes" && find . -name '*Test.class' ! -name '*$*' -printf '%P\n' | sed 's/\.class$//' | sort)
done
exit $status
