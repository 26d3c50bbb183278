#!/usr/bin/env bash
# Talks to pipeline-serve with curl alone.
#   client.sh http://127.0.0.1:8080 gemma_text
set -euo pipefail
url=$1 model=$2

echo "models:"
curl -sS --fail-with-body "$url/v1/models"
echo

echo "a text that goes on, as it is written:"
curl -sSN --fail-with-body "$url/v1/completions" -H 'Content-Type: application/json' -d '{
  "model": "'"$model"'", "prompt": "January, February, March,",
  "max_tokens": 6, "temperature": 0, "stream": true}'

echo "the same by the Open Inference Protocol:"
curl -sS --fail-with-body "$url/v2/models/$model/infer" -H 'Content-Type: application/json' -d '{
  "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",
              "data": ["January, February, March,"]}],
  "parameters": {"temperature": 0, "max_tokens": 6}}'
echo
