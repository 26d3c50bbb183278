// Uploads as a browser writes them.
#pragma once

#include <string>
#include <vector>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {

struct UploadPart {
  std::string name, content;
  std::string filename = {};  ///< empty: a field
};

inline HttpRequest upload(const std::vector<UploadPart>& parts) {
  HttpRequest request;
  request.fields.add("Content-Type", "multipart/form-data; boundary=abc");
  for (const UploadPart& part : parts) {
    request.body +=
        "--abc\r\nContent-Disposition: form-data; name=\"" + part.name + "\"";
    if (!part.filename.empty()) {
      request.body += "; filename=\"" + part.filename + "\"";
    }
    request.body += "\r\n\r\n" + part.content + "\r\n";
  }
  request.body += "--abc--\r\n";
  return request;
}

}  // namespace penstock::serve
