// The CUDA engine: Gemma 3 on a device with memory of its own, behind
// gemma.forward. It knows the device by gpu::DeviceApi alone, so that all of it
// runs on the block simulator as well.
//
// A step whose rows are all scored, as decoding ones are, is one graph: a copy
// in, the launches, a copy out. It is captured once for each number of rows
// (rounded up to a power of two) and each kind of question, and replayed.
//
// Behind such a step the engine runs ahead: where the host said how it will
// choose (penstock/draw.h), the device chooses as well, and the next step is
// queued before this one is waited for. Rows of it that the host then asks for
// as they were guessed are answered; all others run as ever, and what was
// guessed wrong is as if it had not been.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gemma/cuda/ahead.h"
#include "gemma/cuda/launches.h"
#include "gemma/cuda/pages.h"
#include "gemma/engine.h"

namespace penstock::gemma::cuda {

class CudaEngine final : public Engine {
 public:
  struct Options {
    NumberType type = NumberType::kBf16;  ///< of weights and of the cache
    /// Quantised weights stay as they are; only with kBf16.
    bool keeps_codes = false;
    int slots = 0;
    /// Most tokens of a sequence in one step; 0: unknown.
    std::int64_t chunk = 0;
    /// Most tokens that go through the layers at once.
    std::int32_t rows = 2048;
    bool runs_ahead = true;
    /// Steps of few rows are one kernel, not many, in their graph.
    bool is_one_kernel = false;
    /// Of steps of few rows that want the best tokens alone the head is
    /// screened, which needs memory for its codes; not with is_one_kernel.
    bool screens = false;
  };

  /// `kernels` are those of `api` and of options.type. Throws Error: kUsage for
  /// a model whose sizes the kernels do not know or whose head cannot be
  /// screened, kUnavailable where it does not fit into the device's memory or
  /// options.is_one_kernel is not possible there, and what DeviceModel throws.
  CudaEngine(std::shared_ptr<gpu::DeviceApi> api, const Kernels& kernels,
             const Checkpoint& model, const Options& options);
  ~CudaEngine() override;

  /// What is wrong with a model's sizes: null, or a phrase.
  [[nodiscard]] static const char* cannot_run(const Config& config,
                                              NumberType type,
                                              bool is_one_kernel = false);
  /// Device memory of a model on a device of so many processors; `config` is
  /// the model's, or that with a shorter context.
  [[nodiscard]] static MemoryNeed memory(const Checkpoint& model,
                                         const Config& config,
                                         const Options& options,
                                         int processors);

  [[nodiscard]] std::string_view dtype() const override;
  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result run(const Step& step, const Tokens& tokens) override;
  void release(int slot) noexcept override;
  void truncate(int slot, std::int64_t length) override;
  void copy(int from, int to) override;
  [[nodiscard]] std::int64_t state_bytes(int slot) const override;

  /// Graphs captured so far.
  [[nodiscard]] std::size_t graphs() const { return graphs_.size(); }
  [[nodiscard]] const AheadCounts& ahead_counts() const { return counts_; }

 private:
  struct Pass;
  struct Turn;
  /// What a graph was captured for.
  struct GraphKey {
    std::int32_t rows;
    std::array<std::int32_t, kKinds> splits;
    HeadWants wants;
    int set = 0;  ///< of Buffers
    /// The answers, in the other set, that its tokens are drawn from.
    std::optional<AnswerLayout> drawn_from = {};
    auto operator<=>(const GraphKey&) const = default;

    [[nodiscard]] AnswerLayout layout() const {
      return {wants, rows, drawn_from.has_value()};
    }
  };
  using Places = std::vector<std::optional<AnswerPlace>>;

  void run_passes(Turn& turn);
  void run_pass(Turn& turn, Pass& pass);
  void run_graph(Turn& turn, const Pass& pass);
  [[nodiscard]] std::int32_t graph_rows(std::int32_t rows) const;
  /// Queues a step's graph, whose tables are filled.
  void queue_graph(const HeadWants& wants, int set,
                   std::optional<AnswerLayout> drawn_from, const Rows& rows);
  void run_launches(Turn& turn, const Pass& pass);
  void score(Turn& turn, const Pass& pass, const Pending& residual,
             const StepTables& tables);
  [[nodiscard]] at::Tensor fetch_scores(std::int32_t count);
  void fetch(const Pending& residual, std::span<const float> post, float* out);
  void fetch_hidden(const Pending& residual, float* out);
  [[nodiscard]] Launches::Show shower(Probe* probe);

  void update_pages();
  void cut_tiles(Pass& pass) const;
  void fill_tables(const Turn& turn, const Pass& pass,
                   const StepTables& tables) const;
  void put_masks(std::span<const Position> positions) const;
  void send_masks(std::int64_t rows);
  [[nodiscard]] std::array<std::int64_t, kKinds> keys(
      std::int64_t longest) const;
  [[nodiscard]] gpu::DeviceApi::Graph graph_for(const GraphKey& key,
                                                const Rows& rows);
  void enqueue(const GraphKey& key, const Rows& rows);

  // Of engine_ahead.cpp.
  void take_ahead(Turn& turn);
  void begin_next(const Turn& turn, const QueuedStep& now,
                  const Places& places);
  void queue_next(const Turn& turn, const QueuedStep& now, const Places& places,
                  NextStep& next);
  void fill_next(const Turn& turn, const Places& places, const NextStep& next,
                 const StepTables& tables) const;
  void read_ahead(Turn& turn, const QueuedStep& queued, const Places& places);
  bool forget_wrong(const Turn& turn, const QueuedStep& queued, Places& places);
  void extend_at(const Turn& turn, const Places& places);
  void unreserve_others(const Turn& turn, const QueuedStep& queued,
                        const Places& places) noexcept;
  void forget_ahead() noexcept;
  void drop_ahead(int slot) noexcept;

  std::shared_ptr<gpu::DeviceApi> api_;
  Config config_;
  WeightChoice weights_;
  StepLimits limits_;
  MemoryNeed need_;
  PageCounts page_counts_;
  DeviceModel model_;
  Buffers buffers_;
  Launches launches_;
  PageTables pages_;
  PageChanges changes_;  ///< that the device has not been told
  std::map<GraphKey, gpu::DeviceApi::Graph> graphs_;
  bool runs_ahead_;
  std::unique_ptr<QueuedStep> ahead_;  ///< was begun, and not asked for yet
  AheadCounts counts_;
  /// Factors of norms that are applied to what is fetched: the last one's, and
  /// each layer's behind its feed-forward block.
  std::vector<float> norm_;
  std::vector<std::vector<float>> post_norms_;
};

}  // namespace penstock::gemma::cuda
