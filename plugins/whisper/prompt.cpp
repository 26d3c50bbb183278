#include "whisper/prompt.h"

#include "whisper/arrays.h"
#include "whisper/vocabulary.h"

namespace penstock::whisper {

void Prompt::declare(Declaration<Prompt>& d) {
  d.doc("Tells Whisper the language, the task and whether to give times")
      .output("tokens: i64[T]")
      .light();
  d.param("timestamps", &Params::timestamps,
          "segments with times; without, a window is one text")
      .per_request();
  d.param("language", &Params::language,
          "of the speech, as two letters; English models know en alone")
      .per_request();
  d.param("task", &Params::task, "translate: into English")
      .choices({"transcribe", "translate"})
      .per_request();
}

void Prompt::open(StageContext& context) {
  vocabulary_ = context.share<Vocabulary>(
      [&] { return std::make_shared<Vocabulary>(folder_of(context.model)); });
}

void Prompt::preprocess(const Request& request, Item in, ItemSink& out) const {
  const auto& how = params<Params>(*this, request);
  const Vocabulary& words = *vocabulary_;
  in.tokens = {words.start};
  if (words.is_multilingual) {
    for (const std::string& word : {how.language, how.task}) {
      const auto id = words.find("<|" + word + "|>");
      if (!id) {
        throw Error(Code::kData,
                    str("the model does not know the language '", word, "'"));
      }
      in.tokens.push_back(*id);
    }
  } else if (how.language != "en" || how.task != "transcribe") {
    throw Error(Code::kData,
                "this model writes down English; language and task are of "
                "multilingual ones");
  }
  if (!how.timestamps) in.tokens.push_back(words.no_timestamps);
  out.push(std::move(in));
}

}  // namespace penstock::whisper
