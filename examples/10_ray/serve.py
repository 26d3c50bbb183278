"""OpenAI's routes behind Ray Serve: serve run serve:app, or python serve.py. MODEL names another model.

    $ curl -s 127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' \\
        -d '{"model": "gemma_chat", "messages": [{"role": "user", "content": "Hi"}], "stream": true}'
    data: {"id":"chatcmpl-...","object":"chat.completion.chunk",...,"delta":{"role":"assistant","content":""}...
"""

import os

os.environ.setdefault("RAY_AUTH_MODE", "token")  # closes Ray; who may ask, --api-key-file of `arguments` says
import penstock.ray  # noqa: E402

settings = {"gemma_chat.model": os.environ["MODEL"]} if "MODEL" in os.environ else {}
app = penstock.ray.serve_app("gemma_chat.yaml", set=settings, replicas=1, cpus=1)

if __name__ == "__main__":
    import ray
    from ray import serve
    if "RAY_ADDRESS" not in os.environ:
        ray.init("local", include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False,
                 logging_level="error")
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ.get("PORT", "8000"))})
    serve.run(app, blocking=True)
