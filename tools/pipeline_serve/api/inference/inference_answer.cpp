#include "pipeline_serve/api/inference/inference_answer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "penstock/outcome.h"
#include "pipeline_serve/api/sse.h"

namespace penstock::serve {
namespace {

/// One output of all requests, an element for each of their answers.
class OutputWriter {
 public:
  OutputWriter(const InferenceRequest& request, const WantedOutput& wanted,
               const std::vector<RowResult>& rows)
      : wanted_(wanted), tensor_(*wanted.tensor), rows_(rows) {
    for (const RowResult& row : rows) {
      branches_ = std::max(branches_, row.branches());
    }
    shape_ = {rows.size()};
    if (branches_ > 1) {
      shape_.push_back(branches_);
    } else if (request.is_column) {
      shape_.push_back(1);
    }
  }

  /// Its bytes go to `binary`.
  OutJson operator()(std::string& binary) {
    const std::size_t begin = binary.size();
    for (const RowResult& row : rows_) {
      for (std::size_t i = 0; i < branches_; ++i) {
        add(row, static_cast<int>(i), binary);
      }
    }
    if (tensor_.kind == OutputKind::kNumbers) {
      shape_.push_back(length_.value_or(0));
    }
    OutJson out{{"name", tensor_.name},
                {"datatype", tensor_.datatype->name},
                {"shape", shape_}};
    if (wanted_.is_binary) {
      out["parameters"] = {{"binary_data_size", binary.size() - begin}};
    } else {
      out["data"] = std::move(data_);
    }
    return out;
  }

 private:
  void add(const RowResult& row, int branch, std::string& binary) {
    if (tensor_.kind == OutputKind::kNumbers) {
      return add_numbers(row.json(tensor_.step, branch), binary);
    }
    std::string element = tensor_.kind == OutputKind::kText
                              ? row.text(tensor_.step, branch)
                              : row.json(tensor_.step, branch);
    if (wanted_.is_binary) return pack_bytes(element, binary);
    data_.push_back(std::move(element));
  }

  void add_numbers(const std::string& json, std::string& binary) {
    const auto object = OutJson::parse(json);
    const auto found = object.find(tensor_.key);
    const OutJson none = OutJson::array();
    const OutJson& list = found == object.end() ? none : *found;
    if (!list.is_array() || length_.value_or(list.size()) != list.size()) {
      throw Error(Code::kInternal,
                  str("'", tensor_.key, "' is no list of numbers, or as long ",
                      "as it is elsewhere"));
    }
    length_ = list.size();
    for (const OutJson& number : list) {
      if (wanted_.is_binary) {
        put(number, binary);
      } else {
        data_.push_back(number);
      }
    }
  }

  void put(const OutJson& number, std::string& binary) const {
    switch (tensor_.datatype->type) {
      case at::ScalarType::Float:
        return put(number.get<float>(), binary);
      case at::ScalarType::Double:
        return put(number.get<double>(), binary);
      case at::ScalarType::Int:
        return put(number.get<std::int32_t>(), binary);
      default:
        return put(number.get<std::int64_t>(), binary);
    }
  }
  template <class T>
  static void put(T number, std::string& binary) {
    std::array<char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &number, sizeof(T));
    binary.append(bytes.data(), bytes.size());
  }

  const WantedOutput& wanted_;
  const OutputTensor& tensor_;
  const std::vector<RowResult>& rows_;
  std::size_t branches_ = 1;
  std::vector<std::size_t> shape_;
  std::optional<std::size_t> length_;
  OutJson data_ = OutJson::array();
};

}  // namespace

void RowResult::add(const Request& request, const Value& value, int branch) {
  Written& to = steps_[request.step][branch];
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (to.index != request.index && !to.text.empty()) to.text += '\n';
    to.index = request.index;
    to.text += *text;
  } else if (const auto* json = std::get_if<Json>(&value)) {
    to.json.push_back(json->text);
  }
}

const RowResult::Written& RowResult::of(const std::string& step,
                                        int branch) const {
  static const Written nothing;
  const auto found = steps_.find(step);
  if (found == steps_.end()) return nothing;
  const auto written = found->second.find(branch);
  return written == found->second.end() ? nothing : written->second;
}

std::string RowResult::text(const std::string& step, int branch) const {
  return of(step, branch).text;
}

std::string RowResult::json(const std::string& step, int branch) const {
  return join_json(of(step, branch).json);
}

Answer inference_answer(const InferenceRequest& request,
                        const std::string& model,
                        const std::vector<RowResult>& rows) {
  OutJson head{{"model_name", model}, {"model_version", kModelVersion}};
  if (!request.id.empty()) head["id"] = request.id;
  head["outputs"] = OutJson::array();
  std::string binary;
  bool is_binary = false;
  for (const WantedOutput& wanted : request.outputs) {
    head["outputs"].push_back(OutputWriter(request, wanted, rows)(binary));
    is_binary = is_binary || wanted.is_binary;
  }
  Answer answer;
  answer.body = json_text(head);
  if (is_binary) {
    answer.type = "application/octet-stream";
    answer.fields.add(kHeaderLength, std::to_string(answer.body.size()));
    answer.body += binary;
  }
  return answer;
}

}  // namespace penstock::serve
