/**
 * Names of the platform's types that the public API mentions, so that its declarations hold wherever they are read.
 *
 * TypeScript 6 and later have WebGPU's types in the DOM library; earlier ones in the npm package `@webgpu/types`, which clashes with that
 * library. So a reference to either would be an error for somebody. Interfaces of one name merge: where the platform's types are
 * present these empty ones add nothing, and elsewhere (Node without the DOM library) a GPUDevice is a thing to be handed on.
 */
declare global {
  interface GPU {}
  interface GPUAdapter {}
  interface GPUBindGroupLayoutEntry {}
  interface GPUBuffer {}
  interface GPUDevice {}
  interface GPUTexture {}
  interface ImageBitmap {}
}

export {};
