#include "pipeline_run/output/printer.h"

#include <iostream>
#include <utility>

#include "common/program.h"
#include "penstock/keys.h"
#include "penstock/outcome.h"
#include "pipeline_run/output/openai_result.h"
#include "pipeline_run/output/terminal.h"

namespace penstock::run {
namespace {

std::string prompt_of(const Request& request) {
  const auto found = request.inputs.find("text");
  if (found == request.inputs.end()) return "";
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

/// The file it is about, or "".
std::string file_of(const Request& request) {
  for (const auto& [name, value] : request.inputs) {
    if (const auto* media = std::get_if<Media>(&value)) return media->name;
  }
  return "";
}

std::string warning(const Request& request, const std::string& text) {
  // Most of what is said of a file names it.
  const bool is_named = text.starts_with("'" + request.id + "'");
  return "pipeline-run: " +
         (is_named ? "" : "request " + harmless_name(request.id) + ": ") +
         harmless(text) + "\n";
}

/// "90 tokens"; of a text beyond any length also the bytes that never became
/// tokens. "": nothing.
std::string what_was_cut(const Notes& notes) {
  const auto count = [&notes](const Note<std::int64_t>& note) {
    const std::int64_t* found = find(notes, note);
    return found == nullptr ? 0 : *found;
  };
  const std::int64_t bytes = count(kTruncatedBytes);
  const std::int64_t tokens = count(kTruncated);
  if (bytes == 0) return tokens == 0 ? "" : str(tokens, " tokens");
  const std::string early = str(bytes, " bytes before its tokens were counted");
  return tokens == 0 ? early : str(early, ", and then by ", tokens, " tokens");
}

std::string warnings_of(const Request& request, const Report& report,
                        const std::optional<Error>& error) {
  std::string out;
  if (error) {
    out = warning(request, error->text_without(Place::Kind::kRequest));
  } else if (report.ending == Ending::kDeadline) {
    out = warning(request, "the deadline passed; what there is was printed");
  }
  if (const auto cut = what_was_cut(report.notes); !cut.empty()) {
    out += warning(request, "the prompt was cut by " + cut);
  }
  for (const std::string& text : report.warnings) {
    out += warning(request, text);
  }
  return out;
}

}  // namespace

class Printer::Sink final : public ResultSink {
 public:
  Sink(Printer& printer, std::size_t index)
      : printer_(printer), index_(index) {}

  void piece(const Request& /*request*/, const Value& value, int branch,
             bool /*is_final*/) override {
    printer_.piece(index_, value, branch);
  }
  void done(const Request& request, const Report& report) override {
    printer_.done(index_, request, report);
  }

 private:
  Printer& printer_;
  std::size_t index_;
};

/// What an earlier stage made, ids or tensors, does not go on from a text.
std::string Printer::prompt_before(const Request& request) const {
  if (!is_text()) return "";
  const std::string prompt = prompt_of(request);
  return parts_prompts_ && !prompt.empty() ? prompt + "\n" : prompt;
}

Printer::Entry& Printer::add_entry(const Request& request) {
  Entry& entry = entries_.emplace_back();
  const std::string file = names_files_ ? file_of(request) : "";
  if (format_ == Format::kTerminal) {
    entry.held = bold(harmless(file.empty() ? prompt_before(request) : file));
    entry.has_output = true;
  } else if (format_ == Format::kText && !file.empty()) {
    entry.heading = file + "\n";  // only before a result
  } else if (format_ == Format::kShow) {
    entry.held =
        "\n" + stage_ + "  request " + harmless_name(request.id) + "\n";
    entry.held += harmless(prompt_before(request));
    entry.has_output = true;
  }
  if (!file.empty() && format_ == Format::kTerminal) entry.held += "\n";
  return entry;
}

std::shared_ptr<ResultSink> Printer::next(
    const Request& request, const std::optional<OpenAiCall>& call) {
  const std::scoped_lock lock(mutex_);
  add_entry(request).call = call;
  flush();
  return std::make_shared<Sink>(*this, first_ + entries_.size() - 1);
}

void Printer::refuse(const Request& request, const Error& error,
                     const std::optional<OpenAiCall>& call) {
  std::size_t index = 0;
  {
    const std::scoped_lock lock(mutex_);
    add_entry(request).call = call;
    ++refused_;
    index = first_ + entries_.size() - 1;
  }
  Report report;
  report.ending = Ending::kError;
  report.finish_reason = "error";
  report.error = error;
  done(index, request, report);
}

void Printer::piece(std::size_t index, const Value& value, int branch) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[index - first_];
  if (const auto* json = std::get_if<Json>(&value)) {
    Written& written = entry.branches[branch];
    // In text mode JSON is for who gets nothing else.
    const bool is_wanted = format_ == Format::kJson ||
                           (format_ != Format::kSound && !written.has_text);
    if (is_wanted) written.json.push_back(json->text);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    add_text(entry, *text, branch);
  } else if (const auto* sound = std::get_if<Media>(&value)) {
    add_sound(index, *sound);
  }
  flush();
}

/// One stream holds one recording; samples alone can go on.
void Printer::add_sound(std::size_t index, const Media& sound) {
  if (format_ != Format::kSound || !sound.bytes) return;
  if (sound_of_.value_or(index) != index && !sound.name.ends_with(".raw")) {
    throw Error(Code::kUsage,
                "a second recording cannot follow the first in one stream; "
                "name a folder for the files: --render FOLDER");
  }
  sound_of_ = index;
  entries_[index - first_].held += *sound.bytes;
  if (length_ != nullptr) length_->add(*sound.bytes);
}

void Printer::add_text(Entry& entry, const std::string& text, int branch) {
  if (format_ == Format::kSound) {
    std::cerr << harmless(text) << std::flush;
    has_told_ = true;
    return;
  }
  Written& written = entry.branches[branch];
  written.has_text = true;
  if (format_ != Format::kJson) written.json.clear();
  if (format_ == Format::kJson || branch > 0) {
    written.text += text;
    return;
  }
  if (!text.empty()) entry.held += std::exchange(entry.heading, {});
  entry.held += is_for_people() ? harmless(text) : text;
  entry.has_output |= !text.empty();
}

/// What a result has beside the text of its first answer: the other answers, a
/// line that names each before it, and JSON where a stage wrote nothing else.
void Printer::hold_texts(Entry& entry) {
  for (const auto& [branch, written] : entry.branches) {
    const bool is_json = !written.has_text && !written.json.empty();
    const std::string text = is_json ? join_json(written.json) : written.text;
    if (branch > 0) entry.held += str("\n--- answer ", branch + 1, "\n");
    if (!text.empty()) entry.held += std::exchange(entry.heading, {});
    entry.held += is_for_people() ? harmless(text) : text;
  }
}

/// The line of a request that ended, or the rest of its text.
void Printer::hold_result(Entry& entry, const Request& request,
                          const Report& report) {
  const bool is_result = !report.error && !entry.is_cancelled;
  if (format_ == Format::kJson && entry.call) {
    entry.held = openai_line(request, *entry.call, report, entry.branches);
  } else if (format_ == Format::kJson) {
    entry.held = json_line(request, report, entry.branches, facts_, is_text());
  } else if (format_ != Format::kNone && format_ != Format::kSound &&
             (is_result || entry.has_output)) {
    hold_texts(entry);
    entry.held += "\n";  // what ended before its first word has no line
  }
}

/// A result that cannot be written still has its line, which says why.
void Printer::hold_error(Entry& entry, const Request& request,
                         const Error& error) {
  Report report;
  report.ending = Ending::kError;
  report.finish_reason = "error";
  report.branches.emplace_back();
  report.error = error;
  entry.error = error;
  entry.branches.clear();
  hold_result(entry, request, report);
}

void Printer::done(std::size_t index, const Request& request,
                   const Report& report) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[index - first_];
  entry.is_done = true;
  entry.is_cancelled = report.ending == Ending::kCancelled;
  entry.error = report.error;
  try {
    hold_result(entry, request, report);
  } catch (...) {
    hold_error(entry, request, caught());
  }
  if (std::exchange(has_told_, false)) std::cerr << "\n";
  progress_.count_done(entry.error.has_value());
  entry.warnings = warnings_of(request, report, entry.error);
  flush();
}

void Printer::write(const std::string& text) {
  if (text.empty()) return;
  progress_.clear();
  output_.write(text);
  is_at_line_start_ = text.back() == '\n';
}

/// Warnings too wait for their turn: the terminal shows both.
void Printer::flush() {
  while (!entries_.empty()) {
    Entry& entry = entries_.front();
    if (format_ == Format::kShow && !entry.is_done) break;
    if (ends_at_cancelled_ && entry.is_cancelled) break;
    write(std::exchange(entry.held, {}));
    if (!entry.is_done) break;
    if (!entry.warnings.empty()) progress_.clear();
    std::cerr << entry.warnings << std::flush;
    if (!first_error_) first_error_ = entry.error;
    entries_.pop_front();
    ++first_;
  }
  if (is_at_line_start_) progress_.draw();
}

std::int64_t Printer::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

std::optional<Error> Printer::first_error() const {
  const std::scoped_lock lock(mutex_);
  return first_error_;
}

}  // namespace penstock::run
