// The native methods of org.diffusionrpo.kernels.cuda.emulator.CudaEmulator.
#include <jni.h>
#include <string>
#include <vector>
#include "../core/bench.h"

#define CONTROL(type, name) \
  extern "C" JNIEXPORT type JNICALL Java_org_diffusionrpo_kernels_cuda_emulator_CudaEmulator_##name

namespace {

std::string text(JNIEnv* env, jstring s) {
  const char* chars = env->GetStringUTFChars(s, nullptr);
  std::string copy = chars;
  env->ReleaseStringUTFChars(s, chars);
  return copy;
}

jobjectArray array(JNIEnv* env, const std::vector<std::string>& texts) {
  jobjectArray all = env->NewObjectArray(static_cast<jsize>(texts.size()), env->FindClass("java/lang/String"), nullptr);
  for (size_t i = 0; i < texts.size(); i++) {
    env->SetObjectArrayElement(all, static_cast<jsize>(i), env->NewStringUTF(texts[i].c_str()));
  }
  return all;
}

typedef std::lock_guard<std::recursive_mutex> Lock;

}  // namespace

CONTROL(void, reset0)(JNIEnv*, jclass) {
  Lock lock(emu::mutex());
  emu::reset();
}

CONTROL(void, set0)(JNIEnv* env, jclass, jstring knob, jstring value) {
  Lock lock(emu::mutex());
  emu::bench().knobs[text(env, knob)] = text(env, value);
}

CONTROL(void, fail0)(JNIEnv* env, jclass, jstring call, jint nth, jint code, jboolean forever) {
  Lock lock(emu::mutex());
  emu::bench().failures.push_back({text(env, call), nth, code, forever == JNI_TRUE});
}

/** Names and counts in turn. */
CONTROL(jobjectArray, calls0)(JNIEnv* env, jclass) {
  Lock lock(emu::mutex());
  std::vector<std::string> texts;
  for (auto& call : emu::bench().calls) {
    texts.push_back(call.first);
    texts.push_back(std::to_string(call.second));
  }
  return array(env, texts);
}

CONTROL(jobjectArray, leaks0)(JNIEnv* env, jclass) {
  Lock lock(emu::mutex());
  std::vector<std::string> texts;
  for (auto& object : emu::bench().objects) texts.push_back(object.second);
  return array(env, texts);
}

CONTROL(jstring, lastFault0)(JNIEnv* env, jclass) {
  Lock lock(emu::mutex());
  return env->NewStringUTF(emu::bench().lastFault.c_str());
}

CONTROL(jlong, liveBytes0)(JNIEnv*, jclass) {
  Lock lock(emu::mutex());
  return static_cast<jlong>(emu::liveBytes());
}
