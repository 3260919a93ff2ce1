#!/bin/sh
# Names the digits on the pictures beside this file: recognise.sh FOLDER [OPTIONS OF oclnn-run]; oclnn-run lies in FOLDER.
# Exit code 1 if one of the ten is taken for another.
set -eu
tools=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
wrong=0
for digit in 0 1 2 3 4 5 6 7 8 9; do
    answer=$("$tools/oclnn-run" "$here/digits.onnx" "$here/digit_$digit.png" --scale 0.00392156863 --top 1 -q "$@" |
        awk 'NF {last = $2} END {print last}')
    echo "digit_$digit.png shows a $answer"
    [ "$answer" = "$digit" ] || wrong=$((wrong + 1))
done
[ "$wrong" = 0 ] || { echo "recognise: $wrong of 10 are wrong" >&2; exit 1; }
