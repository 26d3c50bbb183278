"""GGUF FOLDER: Gemma 3 as a Hugging Face folder in fp32, for exporters that read no GGUF."""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[3] / "tests/golden"))
import gemma_oracle

gemma_oracle.load_model(pathlib.Path(sys.argv[1])).save_pretrained(sys.argv[2])
