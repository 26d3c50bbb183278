// The microphone, as a WAV file: 16 kHz, one channel, which every model that
// listens can read.

import {transcribe} from "/api.js";
import {button, say} from "/dom.js";

const kRate = 16000;

/// Browsers give no microphone to pages from afar without HTTPS.
export const canRecord = () =>
    Boolean(navigator.mediaDevices?.getUserMedia) && "MediaRecorder" in window;

/// A WAV file of samples in -1..1.
export function wav(samples, rate) {
  const data = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) =>
    [...word].forEach((c, i) => data.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  data.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);  // PCM
  data.setUint16(22, 1, true);  // channels
  data.setUint32(24, rate, true);
  data.setUint32(28, 2 * rate, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  text(36, "data");
  data.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => {
    data.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, x))),
        true);
  });
  return new File([data], "spoken.wav", {type: "audio/wav"});
}

async function toWav(recorded) {
  const context = new OfflineAudioContext(1, 1, kRate);
  const sound = await context.decodeAudioData(await recorded.arrayBuffer());
  const mixer = new OfflineAudioContext(1, Math.ceil(sound.duration * kRate), kRate);
  const source = mixer.createBufferSource();
  source.buffer = sound;
  source.connect(mixer.destination);
  source.start();
  return wav((await mixer.startRendering()).getChannelData(0), kRate);
}

/// Begins to record; the result's stop() gives the File.
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true});
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.ondataavailable = ({data}) => pieces.push(data);
  const ended = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start();
  return {
    async stop() {
      recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return toWav(new Blob(pieces, {type: recorder.mimeType}));
    },
  };
}

/// A button that records between two clicks; `onfile(file)` gets the sound.
export function speakButton(kind, onfile, onfault) {
  let running = null;
  const speak = button(kind, "mic", "Speak", async () => {
    try {
      if (running) {
        const recording = running;
        running = null;
        mark(false);
        onfile(await recording.stop());
      } else {
        running = await record();
        mark(true);
        say("Listening.", {isEnd: true});
      }
    } catch (error) {
      mark(false);
      onfault(error.name === "NotAllowedError" ?
          "The browser gives no microphone to this page." : error.message);
    }
  });
  function mark(is) {
    speak.classList.toggle("recording", is);
    speak.setAttribute("aria-pressed", String(is));
    speak.querySelector("span").textContent = is ? "Stop listening" : "Speak";
    if (speak.title) speak.title = is ? "Stop listening" : "Speak";
  }
  mark(false);
  return speak;
}

/// A small button that writes down what is said, by `listener`.
export function dictation(listener, ontext) {
  if (!canRecord()) return null;
  const speak = speakButton("quiet.square", async (file) => {
    speak.disabled = true;
    try {
      ontext(await transcribe(listener, file));
    } catch (error) {
      say(error.message, {isEnd: true});
      speak.title = error.message;
    }
    speak.disabled = false;
  }, (message) => {
    say(message, {isEnd: true});
    speak.title = message;
  });
  return speak;
}
