#include "grammar/formats.h"

#include <map>

namespace penstock::grammar {
namespace {

using std::string;

/// RFC 3339, with the days that a month has. There is no year 0.
string date() {
  const string century = "([02468][048]|[13579][26])";  // that 4 divides
  const string leap = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|" +
                      string("[2468][048]|[13579][26])00)");
  const string year = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})";
  return "(" + year +
         "-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|"
         "[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" +
         leap + "-02-29)";
}

string time() {
  const string hour = "([01][0-9]|2[0-3])";
  return hour + ":[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+\\-]" + hour +
         ":[0-5][0-9])";
}

/// ISO 8601 as RFC 3339 appends it: units in their order, none left out
/// between others.
string duration() {
  const string n = "[0-9]{1,9}";
  const string clock = "T(" + n + "H(" + n + "M(" + n + "S)?)?|" + n + "M(" +
                       n + "S)?|" + n + "S)";
  const string days = "(" + n + "D|" + n + "M(" + n + "D)?|" + n + "Y(" + n +
                      "M(" + n + "D)?)?)";
  return "P(" + days + "(" + clock + ")?|" + clock + "|" + n + "W)";
}

string ipv4() {
  const string byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return "(" + byte + "\\.){3}" + byte;
}

/// Eight groups, or fewer with one gap.
string ipv6() {
  const string group = "[0-9a-fA-F]{1,4}";
  string out = "((" + group + ":){7}" + group + "|::|(" + group + ":){1,7}:";
  for (int before = 0; before <= 6; ++before) {
    const string front =
        before == 0 ? ":" : "(" + group + ":){" + std::to_string(before) + "}";
    out +=
        "|" + front + "(:" + group + "){1," + std::to_string(7 - before) + "}";
  }
  return out + ")";
}

string hostname() {
  const string label = "[a-z0-9]([a-z0-9\\-]{0,14}[a-z0-9])?";
  return "(" + label + "\\.){0,3}[a-z]([a-z0-9\\-]{0,14}[a-z0-9])?";
}

/// Without the lengths of names, which no schema looks at and which would take
/// time to prepare.
string email() {
  const string name = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-]+";
  const string label = "[a-z0-9]([a-z0-9\\-]*[a-z0-9])?";
  return name + "(\\." + name + ")*@" + label + "(\\." + label + ")+";
}

string uri(bool is_reference) {
  const string hex = "%[0-9A-Fa-f]{2}";
  const string plain = "A-Za-z0-9._~!$&'()*+,;=\\-";
  const string character = "([" + plain + ":@]|" + hex + ")";
  const string authority = "//([" + plain + "]|" + hex + ")*(:[0-9]{1,5})?";
  const string path = "(/" + character + "*)*";
  const string rest = "(\\?([" + plain + ":@/?]|" + hex + ")*)?(#([" + plain +
                      ":@/?]|" + hex + ")*)?";
  const string whole = "[a-zA-Z][a-zA-Z0-9+.\\-]*:(" + authority + path +
                       "|/?(" + character + "+" + path + ")?)" + rest;
  if (!is_reference) return whole;
  const string first = "([" + plain + "@]|" + hex + ")+";
  return "((" + authority + path + "|/(" + character + "+" + path + ")?|" +
         first + path + ")?" + rest + "|" + whole + ")";
}

string uri_template() {
  const string hex = "%[0-9A-Fa-f]{2}";
  const string name = "([A-Za-z0-9_]|" + hex + ")(\\.?([A-Za-z0-9_]|" + hex +
                      "))*(:[1-9][0-9]{0,3}|\\*)?";
  return "([A-Za-z0-9._~!$&()*+,;=:@/?#\\-]|" + hex + "|\\{[+#./;?&]?" + name +
         "(," + name + ")*\\})*";
}

/// RFC 6901; what JSON would escape is left out.
string pointer() { return "(/([^/~]|~[01])*)*"; }

}  // namespace

string format_pattern(std::string_view format) {
  static const std::map<std::string_view, string> patterns{
      {"date", date()},
      {"time", time()},
      {"date-time", date() + "T" + time()},
      {"duration", duration()},
      {"email", email()},
      {"hostname", hostname()},
      {"ipv4", ipv4()},
      {"ipv6", ipv6()},
      {"uuid", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"},
      {"uri", uri(false)},
      {"uri-reference", uri(true)},
      {"uri-template", uri_template()},
      {"json-pointer", pointer()},
      // Validators that look for a leading 0 at each digit refuse others.
      {"relative-json-pointer", "(0|[1-9]{1,8}0?)(#|" + pointer() + ")"}};
  const auto found = patterns.find(format);
  return found == patterns.end() ? "" : found->second;
}

}  // namespace penstock::grammar
