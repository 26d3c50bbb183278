// The pipelines that are served, by name. While it serves they may be replaced:
// a request ends on the one that it began on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline_serve/serving/served.h"

namespace penstock::serve {

using Use = std::shared_ptr<Served>;

/// Any thread.
class Models {
 public:
  Models() = default;
  /// Cancels what runs and waits until nobody uses them.
  ~Models();
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  void add(std::unique_ptr<Served> served);
  /// Null: none of that name.
  [[nodiscard]] Use find(const std::string& name) const;
  [[nodiscard]] std::vector<Use> all() const;
  /// With those that were replaced or removed and still have requests.
  [[nodiscard]] std::vector<Use> all_and_leaving() const;
  [[nodiscard]] bool is_ready() const;  ///< every one

  /// `names` are served from now on, in that order: by those of `fresh`, else
  /// as before. The others leave: nobody finds them, and what runs in them
  /// ends in peace.
  void replace(std::vector<std::unique_ptr<Served>> fresh,
               const std::vector<std::string>& names);
  /// Closes those that have left and that nobody uses any more, on the calling
  /// thread, which is none of theirs; `last` looks at each before. Whether some
  /// are still used.
  bool close_unused(const std::function<void(const Served&)>& last = {});

  /// Tokens that pipelines of that name have made since the start.
  [[nodiscard]] std::int64_t generated(const std::string& name) const;

 private:
  using All = std::vector<std::unique_ptr<Served>>;
  [[nodiscard]] All take_unused();

  mutable std::mutex mutex_;
  All all_, leaving_;
  std::map<std::string, std::int64_t> generated_;  ///< by those that are closed
};

/// The model of a request's `model`; HttpError 404 model_not_found that names
/// it, or 400 where it is no text (param: model).
[[nodiscard]] Use model_named(const Models& models, const std::string& name);

/// The stage whose param a request's option of that name sets; null: none.
[[nodiscard]] const StageConfig* stage_of_option(const PipelineFile& file,
                                                 const std::string& name);

}  // namespace penstock::serve
