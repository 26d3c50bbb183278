"""FOLDER OUT SCRATCH: Gemma 3 for ONNX Runtime GenAI, int8 by 32, the head at the last position only.

The exporter knows one RoPE for a whole model from rope_parameters, and Gemma 3's two only by the names that
they had before transformers 5.
"""
import sys

from onnxruntime_genai.models import builder

folder, out, scratch = sys.argv[1:]
what = "", folder, out, "int8", "cpu", scratch
builder.Gemma3Model.make_rope_init = lambda self, config: None
options = builder.parse_extra_options(*what, ["block_size=32", "prune_lm_head=true"])
config = options["hf_details"]["hf_config"]
config.rope_theta = config.rope_parameters["full_attention"]["rope_theta"]
config.rope_local_base_freq = config.rope_parameters["sliding_attention"]["rope_theta"]
builder.create_model(*what, **options)
