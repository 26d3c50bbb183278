// Params of a stage, declared once: the declaration parses, checks, documents
// and fills a plain struct.
//
//   struct Params { double temperature = 1; };
//   list.add("temperature", &Params::temperature, "0 takes the best token")
//       .range(0, 100).per_request();
//
// A value may be written in the pipeline file, in an environment variable,
// after --set or in a request's options: all become a `Raw` and pass through
// the same parse_param(), so they are checked alike and fail with one text.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/error.h"
#include "penstock/export.h"

namespace penstock {

/// A scalar as somebody wrote it. Quoted ("5") is text, never a number.
struct RawScalar {
  std::string text;
  bool quoted = false;
};
/// An unparsed value: a scalar or a list of scalars.
using Raw = std::variant<RawScalar, std::vector<RawScalar>>;

/// A parsed value. The order is that of ParamType.
using ParamValue = std::variant<bool, std::int64_t, double, std::string,
                                std::vector<std::int64_t>,
                                std::vector<std::string>, std::vector<double>>;
enum class ParamType {
  kBool,
  kInteger,
  kReal,
  kText,
  kIntegers,
  kTexts,
  kReals
};

/// What programs find a param by, whatever its name.
enum class Ability {
  kNone,
  kDraws,  ///< a text: the folder where the stage draws its results
  kShows,  ///< a bool: true makes the stage tell more of what it made
  kChats,  ///< a bool: the stage reads conversations, input `messages`
};
/// "draws", "shows", "chats"; "" for kNone.
[[nodiscard]] PENSTOCK_API std::string to_string(Ability ability);
/// By word: what it stands for.
using Aliases = std::map<std::string, std::string>;
/// The names of number formats that people write, as `float32` or `half`, and
/// the one that params have for it: fp32, bf16 or fp16.
[[nodiscard]] PENSTOCK_API const Aliases& dtype_aliases();
/// Whether T is one of the types of ParamValue.
template <class T, class... Types>
constexpr bool is_one_of(const std::variant<Types...>* /*types*/) {
  return (std::is_same_v<T, Types> || ...);
}

/// What a param is: shown by pipeline-inspect, used by every check.
struct ParamSpec {
  std::string name;
  std::string doc;  ///< one line: meaning and unit
  ParamValue fallback;
  std::optional<double> min, max;    ///< of a number, or of a list's numbers
  std::vector<std::string> choices;  ///< of a text; empty: any
  bool is_per_request = false;       ///< a request's options may override it
  std::string former = {};           ///< an earlier name, still read; "": none
  Ability ability = Ability::kNone;
  Aliases aliases = {};   ///< other spellings of choices; not shown as such
  Aliases refusals = {};  ///< words that are no choice, and why

  [[nodiscard]] ParamType type() const {
    return static_cast<ParamType>(fallback.index());
  }
};

/// "integer", "list of texts", ...
[[nodiscard]] PENSTOCK_API std::string to_string(ParamType type);
/// As it would be written in a pipeline file.
[[nodiscard]] PENSTOCK_API std::string to_string(const ParamValue& value);
/// What a spec accepts: "integer in 1..64", "one of left, right".
[[nodiscard]] PENSTOCK_API std::string expected(const ParamSpec& spec);
/// Reads and checks a value; throws Error(kData) that says what was expected,
/// without a place: the caller knows it.
[[nodiscard]] PENSTOCK_API ParamValue parse_param(const ParamSpec& spec,
                                                  const Raw& raw);
/// Reads `text` as --set and the environment write it: `[a, b]` is a list.
[[nodiscard]] PENSTOCK_API Raw raw_from_text(const std::string& text);
/// ", did you mean 'x'?" where a known name is near, else "".
[[nodiscard]] PENSTOCK_API std::string suggestion(
    const std::string& unknown, const std::vector<std::string>& known);

/// The params of one stage type with the struct's type erased.
class ParamSchema {
 public:
  [[nodiscard]] const std::vector<ParamSpec>& specs() const { return specs_; }
  /// The param of that name, or of that former name; null: none.
  [[nodiscard]] const ParamSpec* find(const std::string& name) const {
    for (const auto& spec : specs_) {
      if (spec.name == name) return &spec;
      if (!spec.former.empty() && spec.former == name) return &spec;
    }
    return nullptr;
  }
  /// The first param with that ability, or null.
  [[nodiscard]] const ParamSpec* find(Ability ability) const {
    for (const auto& spec : specs_) {
      if (spec.ability == ability) return &spec;
    }
    return nullptr;
  }
  /// A struct with every default.
  [[nodiscard]] std::shared_ptr<void> make() const { return make_(); }
  [[nodiscard]] std::shared_ptr<void> copy(const void* params) const {
    return copy_(params);
  }
  void set(void* params, const ParamSpec& spec, const ParamValue& value) const {
    setters_.at(static_cast<std::size_t>(&spec - specs_.data()))(params, value);
  }
  /// What is wrong between params (one against another), or "".
  [[nodiscard]] std::string conflict(const void* params) const {
    return conflict_ ? conflict_(params) : std::string();
  }

 private:
  template <class P>
  friend class ParamList;
  std::vector<ParamSpec> specs_;
  std::vector<std::function<void(void*, const ParamValue&)>> setters_;
  std::function<std::shared_ptr<void>()> make_;
  std::function<std::shared_ptr<void>(const void*)> copy_;
  std::function<std::string(const void*)> conflict_;
};

/// Fills a ParamSchema from the members of the struct P.
template <class P>
class ParamList {
 public:
  ParamList() {
    schema_.make_ = [] { return std::make_shared<P>(); };
    schema_.copy_ = [](const void* from) {
      return std::make_shared<P>(*static_cast<const P*>(from));
    };
  }

  /// Refines the param just added.
  class Added {
   public:
    explicit Added(ParamSpec& spec) : spec_(spec) {}
    Added& range(double min, double max) {
      spec_.min = min;
      spec_.max = max;
      return *this;
    }
    Added& choices(std::vector<std::string> words) {
      spec_.choices = std::move(words);
      return *this;
    }
    /// Words that mean one of the choices; those of other words do nothing.
    Added& aliases(const Aliases& words) {
      spec_.aliases.insert(words.begin(), words.end());
      return *this;
    }
    /// A word that people try; `why` ends the error: what to take instead.
    Added& refuse(const std::string& word, const std::string& why) {
      spec_.refusals[word] = why;
      return *this;
    }
    /// The name it had before: still read, and told.
    Added& formerly(std::string name) {
      spec_.former = std::move(name);
      return *this;
    }
    Added& per_request() {
      spec_.is_per_request = true;
      return *this;
    }
    /// See Ability.
    Added& draws() { return can(Ability::kDraws); }
    Added& shows() { return can(Ability::kShows); }
    Added& chats() { return can(Ability::kChats); }

   private:
    Added& can(Ability ability) {
      spec_.ability = ability;
      return *this;
    }

    ParamSpec& spec_;
  };

  /// T is bool, std::int64_t, double, std::string or a vector of one of the
  /// last three; the default is the member's own.
  template <class T>
  Added add(std::string name, T P::*member, std::string doc) {
    static_assert(is_one_of<T>(static_cast<const ParamValue*>(nullptr)),
                  "a param is a bool, std::int64_t, double, std::string or a "
                  "std::vector of one of the last three");
    ParamSpec spec;
    spec.name = std::move(name);
    spec.doc = std::move(doc);
    spec.fallback.emplace<T>(P{}.*member);
    schema_.specs_.push_back(std::move(spec));
    schema_.setters_.push_back([member](void* to, const ParamValue& value) {
      static_cast<P*>(to)->*member = std::get<T>(value);
    });
    return Added(schema_.specs_.back());
  }

  /// A check across params: returns what is wrong, or "".
  void check(std::string (*conflict)(const P&)) {
    schema_.conflict_ = [conflict](const void* params) {
      return conflict(*static_cast<const P*>(params));
    };
  }

  [[nodiscard]] ParamSchema take() { return std::move(schema_); }

 private:
  ParamSchema schema_;
};

}  // namespace penstock
