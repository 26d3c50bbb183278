#include "config/notes_fit.h"

#include <algorithm>

#include "base/quote.h"

namespace penstock::config {
namespace {

using StageDrafts = std::vector<const StageDraft*>;

const NoteSpec* find(const std::vector<NoteSpec>& notes,
                     const std::string& name) {
  const auto found =
      std::find_if(notes.begin(), notes.end(),
                   [&](const NoteSpec& note) { return note.name == name; });
  return found == notes.end() ? nullptr : &*found;
}

bool reads(const NoteSpecs& notes, const std::string& name) {
  return find(notes.needs, name) != nullptr ||
         find(notes.uses, name) != nullptr;
}

/// "; made by audio.waveform", of the stages that are known.
std::string advice(const StageCatalog& catalog, NoteSpecs StageSpec::*list,
                   const NoteSpec& note) {
  std::vector<std::string> makers;
  for (const StageSpec* spec : catalog.known()) {
    const NoteSpec* made = find((spec->*list).makes, note.name);
    if (made != nullptr && *made == note) makers.push_back(spec->name);
  }
  if (makers.empty()) {
    return "; no stage of the plugins in use makes it, pipeline-inspect shows "
           "those of others";
  }
  return "; made by " + joined(makers);
}

/// Notes or facts of a pipeline: what each stage reads is made before it.
class Check {
 public:
  Check(std::string word, NoteSpecs StageSpec::*list, StageDrafts stages,
        const StageCatalog& catalog, Problems& problems)
      : word_(std::move(word)),
        list_(list),
        stages_(std::move(stages)),
        catalog_(catalog),
        problems_(problems) {}

  void run() {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      for (const NoteSpec& note : of(i).needs) check(i, note, true);
      for (const NoteSpec& note : of(i).uses) check(i, note, false);
    }
  }

 private:
  [[nodiscard]] const NoteSpecs& of(std::size_t stage) const {
    return stages_[stage]->config.spec->*list_;
  }
  [[nodiscard]] const std::string& name_of(std::size_t stage) const {
    return stages_[stage]->config.spec->name;
  }

  void check(std::size_t reader, const NoteSpec& note, bool is_needed) {
    bool is_made = false;
    for (std::size_t i = 0; i < reader; ++i) {
      const NoteSpec* made = find(of(i).makes, note.name);
      if (made == nullptr) continue;
      is_made = true;
      if (made->type == note.type) continue;
      add(reader, note, is_needed,
          str(" as ", to_string(note.type), "; ", name_of(i), " makes it as ",
              to_string(made->type)));
    }
    if (is_made) return;
    // Whoever also makes it hands it on; its reader is the one to be told.
    if (!is_needed && find(of(reader).makes, note.name) != nullptr) return;
    for (std::size_t i = reader + 1; i < stages_.size(); ++i) {
      if (!is_preprocess(i) || find(of(i).makes, note.name) == nullptr)
        continue;
      if (!is_needed && is_of_use(i, note.name)) continue;
      add(reader, note, is_needed,
          str(", but ", name_of(i), ", which makes it, comes later; put ",
              name_of(i), " before ", name_of(reader)));
      return;
    }
    if (!is_needed) return;
    add(reader, note, is_needed,
        ", which no stage before it makes" + advice(catalog_, list_, note));
  }

  /// Only these can be put in another order.
  [[nodiscard]] bool is_preprocess(std::size_t stage) const {
    return stages_[stage]->kind == StageKind::kPreprocess;
  }

  /// Whether what `maker` makes is read by a stage after it, in the end by one
  /// that does not make it anew.
  [[nodiscard]] bool is_of_use(std::size_t maker,
                               const std::string& name) const {
    for (std::size_t i = maker + 1; i < stages_.size(); ++i) {
      if (!reads(of(i), name)) continue;
      if (find(of(i).makes, name) == nullptr || is_of_use(i, name)) return true;
    }
    return false;
  }

  void add(std::size_t reader, const NoteSpec& note, bool is_needed,
           const std::string& problem) {
    problems_.add(stages_[reader]->use_at,
                  str(name_of(reader), is_needed ? " needs " : " reads ", word_,
                      " '", note.name, "'", problem));
  }

  std::string word_;
  NoteSpecs StageSpec::*list_;
  StageDrafts stages_;
  const StageCatalog& catalog_;
  Problems& problems_;
};

/// What Decode sets for a row's next step must be of use to Forward. One whose
/// inputs are its model's takes any of them, and says itself which it has not.
void check_next_inputs(const StageDraft& decode, const StageDraft& forward,
                       Problems& problems) {
  const StageSpec& giver = *decode.config.spec;
  const StageSpec& taker = *forward.config.spec;
  if (taker.describe) return;
  for (const std::string& problem :
       mismatches(taker.next_inputs, giver.next_inputs)) {
    problems.add(decode.use_at,
                 str(giver.name, " sets inputs for the next step that ",
                     taker.name, " does not take: ", problem));
  }
}

}  // namespace

void check_notes(const Draft& draft, const StageCatalog& catalog,
                 Problems& problems) {
  StageDrafts stages;
  for (const StageDraft& stage : draft.preprocess) stages.push_back(&stage);
  for (const auto* stage : {&draft.batch, &draft.forward}) {
    stages.push_back(stage);
  }
  for (const StageDraft& stage : draft.rules) stages.push_back(&stage);
  for (const auto* stage : {&draft.decode, &draft.postprocess}) {
    stages.push_back(stage);
  }
  const bool are_there =
      std::all_of(stages.begin(), stages.end(),
                  [](const StageDraft* stage) { return stage->is_in_place; });
  if (!are_there) return;
  Check("note", &StageSpec::notes, stages, catalog, problems).run();
  // In the order in which they are opened: Forward makes every fact.
  StageDrafts opened = {&draft.forward};
  for (const StageDraft* stage : stages) {
    if (stage != &draft.forward) opened.push_back(stage);
  }
  Check("fact", &StageSpec::facts, opened, catalog, problems).run();
  check_next_inputs(draft.decode, draft.forward, problems);
}

}  // namespace penstock::config
