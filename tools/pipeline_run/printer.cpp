#include "printer.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

namespace penstock::run {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double milliseconds) {
  return std::round(milliseconds * 1000) / 1000;
}

Json timing_json(const Timing& timing) {
  return {{"queue_ms", rounded(timing.queue_ms)},
          {"prefill_ms", rounded(timing.prefill_ms)},
          {"decode_ms", rounded(timing.decode_ms)},
          {"first_token_ms", rounded(timing.first_token_ms)}};
}

std::string prompt_of(const Request& request) {
  const auto found = request.inputs.find("text");
  if (found == request.inputs.end()) return "";
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

void warn(const Request& request, const std::string& text) {
  std::cerr << "pipeline-run: request '" << request.id << "': " << text << "\n";
}

}  // namespace

class Printer::Sink final : public ResultSink {
 public:
  Sink(Printer& printer, std::size_t index)
      : printer_(printer), index_(index) {}

  void piece(const Request& /*request*/, const Value& value, int branch,
             bool /*is_final*/) override {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && branch == 0) printer_.piece(index_, *text);
  }
  void done(const Request& request, const Report& report) override {
    printer_.done(index_, request, report);
  }

 private:
  Printer& printer_;
  std::size_t index_;
};

void Printer::set_facts(std::string dtype, std::string device) {
  dtype_ = std::move(dtype);
  device_ = std::move(device);
}

Printer::Entry& Printer::add_entry(const Request& request) {
  Entry& entry = entries_.emplace_back();
  if (format_ == Format::kTerminal) {
    entry.held = "\033[1m" + prompt_of(request) + "\033[0m";
  } else if (format_ == Format::kShow) {
    entry.held =
        "\npostprocess  request '" + request.id + "'\n" + prompt_of(request);
  }
  return entry;
}

std::shared_ptr<ResultSink> Printer::next(const Request& request) {
  const std::scoped_lock lock(mutex_);
  add_entry(request);
  flush();
  return std::make_shared<Sink>(*this, first_ + entries_.size() - 1);
}

void Printer::refuse(const Request& request, const Error& error) {
  std::size_t index = 0;
  {
    const std::scoped_lock lock(mutex_);
    add_entry(request);
    index = first_ + entries_.size() - 1;
  }
  Report report;
  report.finish_reason = "error";
  report.error = error;
  done(index, request, report);
}

void Printer::piece(std::size_t index, const std::string& text) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[index - first_];
  if (format_ == Format::kJson) {
    entry.text += text;
  } else {
    entry.held += text;
  }
  flush();
}

void Printer::done(std::size_t index, const Request& request,
                   const Report& report) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[index - first_];
  entry.is_done = true;
  if (format_ == Format::kJson) {
    entry.held = json_line(request, report, entry.text);
  } else {
    entry.held += "\n";
  }
  if (report.error) {
    if (!first_error_) first_error_ = report.error;
    warn(request, report.error->what());
  } else if (report.finish_reason == "deadline") {
    warn(request, "the deadline passed; what there is was printed");
  }
  if (const auto cut = report.notes.find("truncated");
      cut != report.notes.end()) {
    warn(request, str("the prompt was cut by ",
                      std::get<std::int64_t>(cut->second), " tokens"));
  }
  flush();
}

void Printer::flush() {
  while (!entries_.empty()) {
    Entry& entry = entries_.front();
    if (format_ == Format::kShow && !entry.is_done) return;
    print(std::exchange(entry.held, {}));
    if (!entry.is_done) return;
    entries_.pop_front();
    ++first_;
  }
}

void Printer::print(const std::string& text) {
  if (text.empty() || output_error_) return;
  const bool was_closed = output_.is_closed();
  try {
    output_.write(text);
  } catch (const Error& error) {
    output_error_ = error;
  }
  if ((output_.is_closed() && !was_closed) || output_error_) quit_();
}

std::string Printer::json_line(const Request& request, const Report& report,
                               const std::string& text) const {
  Json line;
  line["id"] = request.id;
  line["text"] = text;
  line["token_ids"] = report.token_ids;
  line["prompt_tokens"] = report.prompt_tokens;
  line["finish_reason"] = report.finish_reason;
  if (const auto cut = report.notes.find("truncated");
      cut != report.notes.end()) {
    line["truncated"] = std::get<std::int64_t>(cut->second);
  }
  if (!dtype_.empty()) line["dtype"] = dtype_;
  line["device"] = device_;
  line["timing"] = timing_json(report.timing);
  if (report.error) {
    line["error"] = {{"code", name(report.error->code())},
                     {"message", report.error->what()}};
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Error> Printer::first_error() const {
  const std::scoped_lock lock(mutex_);
  return first_error_;
}

std::optional<Error> Printer::output_error() const {
  const std::scoped_lock lock(mutex_);
  return output_error_;
}

}  // namespace penstock::run
