// A libcuda.so.1 and libnvidia-ml.so.1 for machines without a GPU. FAKE_GPUS
// says how many there are, FAKE_CUINIT what cuInit answers, FAKE_CUDA_VERSION
// and FAKE_CAPABILITY (major) what driver and cards are.
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

int number(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoi(text);
}

}  // namespace

#define FAKE extern "C" __attribute__((visibility("default"))) int

#ifdef FAKE_CUDA
FAKE cuInit(unsigned) { return number("FAKE_CUINIT", 0); }
FAKE cuDriverGetVersion(int* version) {
  *version = number("FAKE_CUDA_VERSION", 12080);
  return 0;
}
FAKE cuDeviceGetCount(int* count) {
  *count = number("FAKE_GPUS", 0);
  return 0;
}
FAKE cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return 0;
}
FAKE cuDeviceGetName(char* name, int size, int) {
  std::strncpy(name, "Fake H200", static_cast<std::size_t>(size));
  return 0;
}
FAKE cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(i + device);
  return 0;
}
FAKE cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = std::size_t{141} << 30U;
  return 0;
}
FAKE cuDeviceGetAttribute(int* value, int which, int) {
  *value = which == 75 ? number("FAKE_CAPABILITY", 9) : 0;
  return 0;
}
#else
FAKE nvmlInit_v2() { return 0; }
FAKE nvmlShutdown() { return 0; }
FAKE nvmlSystemGetDriverVersion(char* version, unsigned) {
  std::strcpy(version, "580.65.06");
  return 0;
}
FAKE nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  static int some = 0;
  *device = &some;
  // Of the first alone: the other's memory is not known.
  return std::string(uuid) == "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f" ? 0
                                                                         : 6;
}
FAKE nvmlDeviceGetMemoryInfo(void*, unsigned long long* memory) {
  memory[0] = 141ULL << 30U;
  memory[1] = 100ULL << 30U;
  memory[2] = 41ULL << 30U;
  return 0;
}
#endif
