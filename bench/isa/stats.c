// A Vulkan layer that writes what the driver's compiler says of each compute pipeline, as
// VK_KHR_pipeline_executable_properties gives it: to the file that ISA_STATS names a line `name: value` for each of its
// statistics (registers, spills, instructions, ...), to the file that ISA_CODE names its code, a line `=== name` before
// each representation. Pipelines are compiled one by one, without a cache, and the files are closed before the pipeline
// is returned: a program that waits for the pipeline can then read them. What a driver prints while
// it compiles goes to ISA_CODE too: Honeykrisp gives its code no other way.
//
// It serves one instance and one device per process, which is what compile.ts opens.
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define MAX_EXTENSIONS 256
#define MAX_EXECUTABLES 8
#define MAX_STATISTICS 64
#define MAX_REPRESENTATIONS 16

#define EXPORT VKAPI_ATTR __attribute__((visibility("default")))

static PFN_vkGetInstanceProcAddr next_instance_proc;
static PFN_vkGetDeviceProcAddr next_device_proc;
static VkInstance the_instance;
static int has_statistics;

static double value_of(const VkPipelineExecutableStatisticKHR *statistic) {
  switch (statistic->format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR: return statistic->value.f64;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: return (double)statistic->value.i64;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: return (double)statistic->value.u64;
    default: return statistic->value.b32;
  }
}

// Writes the code of one executable, in every form that the driver has.
static void write_code(VkDevice device, const VkPipelineExecutableInfoKHR *which) {
  const char *path = getenv("ISA_CODE");
  PFN_vkGetPipelineExecutableInternalRepresentationsKHR get =
      (PFN_vkGetPipelineExecutableInternalRepresentationsKHR)next_device_proc(
          device, "vkGetPipelineExecutableInternalRepresentationsKHR");
  FILE *file = path && get ? fopen(path, "a") : NULL;
  if (!file) return;
  VkPipelineExecutableInternalRepresentationKHR found[MAX_REPRESENTATIONS];
  for (int i = 0; i < MAX_REPRESENTATIONS; i++) {
    found[i] = (VkPipelineExecutableInternalRepresentationKHR){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR};
  }
  uint32_t count = MAX_REPRESENTATIONS;
  // The first call tells the sizes, the second fills the texts.
  if (get(device, which, &count, found) >= 0) {
    for (uint32_t i = 0; i < count; i++) found[i].pData = found[i].isText ? calloc(1, found[i].dataSize + 1) : NULL;
    if (get(device, which, &count, found) >= 0) {
      for (uint32_t i = 0; i < count; i++) {
        if (found[i].pData) fprintf(file, "=== %s\n%s\n", found[i].name, (char *)found[i].pData);
      }
    }
    for (uint32_t i = 0; i < count; i++) free(found[i].pData);
  }
  fclose(file);
}

static void write_statistics(VkDevice device, VkPipeline pipeline) {
  const char *path = getenv("ISA_STATS");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  PFN_vkGetPipelineExecutablePropertiesKHR get_executables =
      (PFN_vkGetPipelineExecutablePropertiesKHR)next_device_proc(device, "vkGetPipelineExecutablePropertiesKHR");
  PFN_vkGetPipelineExecutableStatisticsKHR get_statistics =
      (PFN_vkGetPipelineExecutableStatisticsKHR)next_device_proc(device, "vkGetPipelineExecutableStatisticsKHR");
  VkPipelineInfoKHR info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, .pipeline = pipeline};
  VkPipelineExecutablePropertiesKHR executables[MAX_EXECUTABLES];
  for (int i = 0; i < MAX_EXECUTABLES; i++) {
    executables[i] = (VkPipelineExecutablePropertiesKHR){.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR};
  }
  uint32_t executable_count = MAX_EXECUTABLES;
  if (get_executables && get_statistics && get_executables(device, &info, &executable_count, executables) >= 0) {
    for (uint32_t e = 0; e < executable_count; e++) {
      VkPipelineExecutableInfoKHR which = {
          .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
          .pipeline = pipeline,
          .executableIndex = e,
      };
      VkPipelineExecutableStatisticKHR found[MAX_STATISTICS];
      for (int i = 0; i < MAX_STATISTICS; i++) {
        found[i] = (VkPipelineExecutableStatisticKHR){.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
      }
      uint32_t count = MAX_STATISTICS;
      if (get_statistics(device, &which, &count, found) < 0) continue;
      for (uint32_t i = 0; i < count; i++) fprintf(file, "%s: %.17g\n", found[i].name, value_of(&found[i]));
      write_code(device, &which);
    }
  }
  fclose(file);
}

static char buffer[1 << 20];

// Sends what is printed to ISA_CODE, and keeps in `kept` where it went before; -1 if there is no such file.
static void begin_capture(int kept[2]) {
  const char *path = getenv("ISA_CODE");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
  fflush(NULL);
  // Honeykrisp prints megabytes in small pieces.
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  for (int i = 0; i < 2; i++) {
    kept[i] = file < 0 ? -1 : dup(STDOUT_FILENO + i);
    if (kept[i] >= 0) dup2(file, STDOUT_FILENO + i);
  }
  if (file >= 0) close(file);
}

static void end_capture(const int kept[2]) {
  fflush(NULL);
  for (int i = 0; i < 2; i++) {
    if (kept[i] < 0) continue;
    dup2(kept[i], STDOUT_FILENO + i);
    close(kept[i]);
  }
}

static VKAPI_ATTR VkResult VKAPI_CALL create_compute_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                               const VkComputePipelineCreateInfo *infos,
                                                               const VkAllocationCallbacks *allocator,
                                                               VkPipeline *pipelines) {
  PFN_vkCreateComputePipelines create =
      (PFN_vkCreateComputePipelines)next_device_proc(device, "vkCreateComputePipelines");
  if (!has_statistics) return create(device, cache, count, infos, allocator, pipelines);
  VkResult worst = VK_SUCCESS;
  for (uint32_t i = 0; i < count; i++) {
    VkComputePipelineCreateInfo info = infos[i];
    info.flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR;
    if (getenv("ISA_CODE")) info.flags |= VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
    int kept[2];
    begin_capture(kept);
    VkResult result = create(device, VK_NULL_HANDLE, 1, &info, allocator, &pipelines[i]);
    end_capture(kept);
    if (result == VK_SUCCESS) write_statistics(device, pipelines[i]);
    else worst = result;
  }
  return worst;
}

// The loader hands each layer the next one's entry points in a chain of the create info.
static VkLayerInstanceCreateInfo *instance_link(const VkInstanceCreateInfo *info) {
  const VkStructureType wanted = VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO;
  VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *)info->pNext;
  while (link && !(link->sType == wanted && link->function == VK_LAYER_LINK_INFO)) {
    link = (VkLayerInstanceCreateInfo *)link->pNext;
  }
  return link;
}

static VkLayerDeviceCreateInfo *device_link(const VkDeviceCreateInfo *info) {
  const VkStructureType wanted = VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO;
  VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *)info->pNext;
  while (link && !(link->sType == wanted && link->function == VK_LAYER_LINK_INFO)) {
    link = (VkLayerDeviceCreateInfo *)link->pNext;
  }
  return link;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
                                                      const VkAllocationCallbacks *allocator, VkInstance *instance) {
  VkLayerInstanceCreateInfo *link = instance_link(info);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  next_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateInstance)next_instance_proc(NULL, "vkCreateInstance"))(info, allocator, instance);
  if (result == VK_SUCCESS) the_instance = *instance;
  return result;
}

// The device is asked for statistics too; without the extension it is created as requested, and gives none.
static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice gpu, const VkDeviceCreateInfo *info,
                                                    const VkAllocationCallbacks *allocator, VkDevice *device) {
  VkLayerDeviceCreateInfo *link = device_link(info);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  PFN_vkGetInstanceProcAddr instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  PFN_vkCreateDevice create = (PFN_vkCreateDevice)instance_proc(the_instance, "vkCreateDevice");
  if (info->enabledExtensionCount < MAX_EXTENSIONS) {
    const char *extensions[MAX_EXTENSIONS];
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++) extensions[i] = info->ppEnabledExtensionNames[i];
    extensions[info->enabledExtensionCount] = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
        .pNext = (void *)info->pNext,
        .pipelineExecutableInfo = VK_TRUE,
    };
    VkDeviceCreateInfo wanted = *info;
    wanted.pNext = &features;
    wanted.ppEnabledExtensionNames = extensions;
    wanted.enabledExtensionCount = info->enabledExtensionCount + 1;
    has_statistics = create(gpu, &wanted, allocator, device) == VK_SUCCESS;
    if (has_statistics) return VK_SUCCESS;
  }
  fprintf(stderr, "stats: the device has no %s\n", VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME);
  return create(gpu, info, allocator, device);
}

static PFN_vkVoidFunction device_proc(VkDevice device, const char *name) {
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)device_proc;
  if (!strcmp(name, "vkCreateComputePipelines")) return (PFN_vkVoidFunction)create_compute_pipelines;
  return next_device_proc(device, name);
}

EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetDeviceProcAddr(VkDevice device, const char *name) {
  return device_proc(device, name);
}

EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (PFN_vkVoidFunction)vkGetInstanceProcAddr;
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)device_proc;
  if (!strcmp(name, "vkCreateInstance")) return (PFN_vkVoidFunction)create_instance;
  if (!strcmp(name, "vkCreateDevice")) return (PFN_vkVoidFunction)create_device;
  if (!strcmp(name, "vkCreateComputePipelines")) return (PFN_vkVoidFunction)create_compute_pipelines;
  return next_instance_proc ? next_instance_proc(instance, name) : NULL;
}

EXPORT VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version) {
  version->loaderLayerInterfaceVersion = 2;
  version->pfnGetInstanceProcAddr = vkGetInstanceProcAddr;
  version->pfnGetDeviceProcAddr = device_proc;
  version->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}
