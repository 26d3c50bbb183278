# What the shell lines of these tests share; bash reads it before each.

# stop_hung SIGNALS COMMAND...: sends the command these signals ("TERM TERM")
# once it has told that a stage hangs, however long it took to get there. Gives
# its words and its exit code.
stop_hung() {
  local signals=$1 signal process status=0
  shift
  "$@" --stall-timeout 0.1 2>"$T/hung" &
  process=$!
  until grep -q 'has not returned' "$T/hung"; do
    kill -0 $process || break
    sleep 0.05
  done
  for signal in $signals; do
    kill -"$signal" $process
    sleep 0.3
  done
  wait $process || status=$?
  cat "$T/hung" >&2
  return $status
}
