/**
 * The page in English. Every other language has the same strings: their type is this table's, and the page's HTML names
 * the ones that it shows as `data-text`, `data-label` and `data-alt`.
 *
 * A language imports nothing but types: the page waits for it before its own code runs. Numbers with decimals come as
 * text, written as the language writes them.
 */
import type { InputProblem } from '../../../src/errors.ts';
import type { Skipped } from '../../../src/brackets/group.ts';
import type { MergeWarning } from '../../../src/warnings.ts';
import type { FileNote, FromWorker } from '../messages.ts';

type Stage = Extract<FromWorker, { type: 'progress' }>['stage'];

/** What the page says when something is wrong: a title, and what to do. */
export interface Words {
  title: string;
  text: string;
  /** What to do, one after the other. */
  steps?: readonly string[];
  /** What works without this page, in words, and as a command. */
  instead?: { text: string; command: string };
}

/** A number of things in words. */
const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

const SAVE_IT =
  'It is merged and can be saved. To see it too, close other tabs and programs, start over, and merge again.';
const SILENT = 'These files do not say how they were exposed';
const USUAL = 'or take what most cameras do: two stops apart, in the order of brightness';

export const words = {
  page: {
    language: 'Language',
    private: 'Your photos stay on this device',
    toBrackets: '‹ All brackets',
    photos: 'Photos',
    folder: 'Folder of photos',
    bytes: 'bytes',
    dismiss: (title: string) => `Dismiss: ${title}`,
    drop: 'Drop the photos to add them',
    busy: 'A merge is running: add photos when it is done',
    folders: (count: number) => `${count} folders`,
    folderAndFiles: (folder: string) => `“${folder}” and other files`,
    quoted: (name: string) => `“${name}”`,
  },
  about: {
    title: 'About deghost',
    help: 'Help',
    source: 'Source',
    licence: 'MIT licence',
    bench: 'How fast is your GPU?',
  },
  kept: {
    title: (name: string) => `Your last picture: ${name}`,
    about: (frames: number, isMerged: boolean) =>
      `${frames} frames${isMerged ? ', merged' : ''}. Kept in this browser alone; new photos take its place.`,
    aboutList: (photos: number) =>
      `${photos} photos of several pictures. Kept in this browser alone; new photos take their place.`,
    goOn: 'Continue',
    forget: 'Forget',
    keep: 'Keep this picture in this browser',
    note:
      'Loading the page again then loses nothing. Photos are copied, up to 1 GB, where the browser cannot open them ' +
      'again by itself. Nothing is sent; “Start over” forgets everything.',
    notOpened: 'The photos were not opened',
    openAgain: 'Open again',
    locked: (names: string) => `The browser asks before it opens these photos again: ${names}.`,
    gone: (names: string) => `These photos could not be opened again: ${names}. Add them anew.`,
    missing: 'photos are missing',
    failed: 'This picture is not kept',
    noRoom: 'The browser has too little room for it. Save it before you close this page; all else works.',
    noStore: 'This browser keeps nothing, as in some private windows. Save it before you close this page.',
    tooLarge: 'Its photos have more than 1 GB together. Save it before you close this page; all else works.',
    listTooLarge: {
      title: 'The list of pictures is not kept',
      text: 'Its photos have more than 1 GB together. The picture that is open is kept; all else works.',
    },
    elsewhere: { title: 'The picture is open in another tab', text: 'Go on with it there, or close that tab first.' },
    mergeFirst: {
      title: 'Merge it again first',
      text: 'This picture was kept, but not what choosing another moment needs. What you have changed so far stays.',
    },
    notRestored: { title: 'The merged picture could not be read', text: 'Merge its frames again.' },
  },
  offline: {
    newer: { title: 'A new version is ready', text: 'It is used from the next load on.' },
    reload: 'Load it now',
    notShared: {
      title: 'The shared photos did not arrive',
      text: 'Open them here instead: choose or drop them.',
    },
  },
  welcome: {
    title1: 'Bracketed photos in.',
    title2: 'One picture without ghosts out.',
    lead:
      'People walk, leaves move, cars pass while the camera takes its exposures. deghost finds what moved, keeps one ' +
      'moment of it, and takes the light of all frames for the rest.',
    pick: 'Choose photos',
    pickFolder: 'Choose a folder',
    orDrop: 'or drop ',
    exposures: '2 to 16 exposures of one scene',
    anywhere: ' anywhere on this page',
    orFolder: ', or a folder with many brackets',
    formats: 'JPEG, PNG, TIFF or RAW, from a tripod or by hand',
    sample: 'No brackets at hand? These three exposures of drifting balloons come with the page.',
    plain: 'Three exposures averaged: each of three balloons is seen three times, pale, as a ghost.',
    deghosted: 'The same exposures merged by deghost: one red, one yellow and one blue balloon, without ghosts.',
    loading: 'Loading the example…',
    divider: 'Divider between the plain merge and the deghosted picture',
    dividerAt: (percent: number) => `${percent} % plain merge, ${100 - percent} % without ghosts`,
    noSample: 'The example could not be loaded: check the connection and try again.',
    example: 'Try an example',
  },
  picture: {
    workspace: 'Frames and picture',
    title: 'Picture',
    merged: 'Merged picture',
    reference: (name: string, ev: string) => `Reference frame: ${name}${ev === '' ? '' : `, ${ev} EV`}`,
    plain: 'plain merge',
    deghosted: 'deghosted',
    zoom: 'Zoom',
    zoomOut: 'Zoom out',
    zoomIn: 'Zoom in',
    fit: 'Fit',
    working: 'Merging this part…',
    help:
      'Drag or use the arrow keys to move, the wheel, two fingers or + and − to zoom, 0 to fit, 1 or a double click ' +
      'for 100 %. Click a thing that moves, or press Enter, to choose its moment. U undoes.',
    brushHelp:
      'Paint with the pointer, or move the brush with the arrow keys and paint with the space bar. [ and ] change ' +
      'its size, U undoes, Esc drops a stroke or turns the brush off.',
  },
  controls: 'Controls',
  look: {
    title: 'Look',
    compare: 'Compare with the plain merge',
    computing: 'The plain merge is being computed…',
    averaged: 'All frames averaged, with their ghosts.',
    noPlain: (why: string) => `The plain merge could not be made: ${why.charAt(0).toLowerCase()}${why.slice(1)}.`,
    divider: 'Divider',
    dividerAt: (percent: number) => `${percent} % plain merge`,
  },
  finish: {
    looks: { natural: 'Natural', vivid: 'Vivid', soft: 'Soft', monochrome: 'Black & white' },
    groups: { light: 'Light', color: 'Colour' },
    settings: {
      exposure: 'Exposure',
      contrast: 'Contrast',
      highlights: 'Highlights',
      shadows: 'Shadows',
      white: 'White point',
      black: 'Black point',
      clarity: 'Clarity',
      temperature: 'Temperature',
      tint: 'Tint',
      saturation: 'Saturation',
    },
    bright: 'Light above white',
    back: 'Back to the look',
    restored: (setting: string) => `${setting} is as the look has it.`,
    shownWhite: (share: string) => `${share} shown white`,
    shownBlack: (share: string) => `${share} shown black`,
    histogram: (white: string, black: string) =>
      `Light of the scene in EV about middle grey: ${white} shown white, ${black} shown black`,
  },
  crop: {
    open: 'Crop and straighten',
    aspect: 'Aspect ratio',
    free: 'Free',
    own: 'As the picture',
    angle: 'Straighten',
    whole: 'Whole picture',
    done: 'Done',
    size: (width: number, height: number) => `${width} × ${height} pixels`,
    frame: 'Crop: arrow keys move it, with Shift they change its size, Enter ends',
  },
  motion: {
    title: 'Motion',
    show: 'Show what was taken to be moving',
    opacity: 'Strength',
    of: 'Motion of',
    all: 'all frames',
    brush: 'Brush',
    off: 'Off',
    add: 'Add',
    erase: 'Erase',
    size: 'Brush size',
    note:
      'Where a ghost is left, add motion: that place is taken from the reference frame alone. Where noise is left, ' +
      'erase motion: all frames count there.',
    hardness: 'Brush hardness',
    look: 'Click a thing that moves, or press Enter on the picture, to choose which frame’s moment of it is shown.',
    undo: 'Undo',
    redo: 'Redo',
    painted: 'Motion added.',
    erased: 'Motion erased.',
    undone: (steps: number) =>
      `Undone. ${steps === 0 ? 'Nothing is' : steps === 1 ? 'One change is' : `${steps} changes are`} left.`,
    restored: 'This picture was kept. To change it, merge it again: what you have changed so far stays.',
    brushOff: 'The brush is off.',
  },
  loupe: {
    title: 'This thing in each frame',
    hint: 'Choose the moment to show.',
    found: 'A thing that moves, as it was in each frame. Choose the moment to show.',
    nothing: 'Nothing moves there.',
    shows: (name: string) => `The moment of ${name} is shown.`,
    smaller: 'Smaller',
    larger: 'Larger',
    back: '‹ Previous thing',
    next: 'Next thing ›',
    close: 'Close',
  },
  keys: {
    title: 'Keys',
    close: 'Close the list of keys',
    single: 'Open this list with ?',
    names: { Ctrl: 'Ctrl', Shift: 'Shift', Space: 'Space', Delete: 'Delete', Enter: 'Enter' },
    groups: {
      everywhere: 'Everywhere',
      picture: 'On the picture',
      brush: 'On the picture, with the brush',
      frames: 'On frames, enlarged or beside each other',
      crop: 'On the frame of a crop',
      sliders: 'On sliders',
    },
    does: {
      list: 'this list',
      paste: 'take copied photos',
      close: 'close a dialog',
      move: 'move the picture',
      moveFar: 'move it four times as far',
      zoom: 'zoom in and out',
      fit: 'show the whole picture',
      full: 'zoom to 100 %',
      moveBrush: 'move the brush',
      paint: 'paint, as long as it is held',
      size: 'smaller and larger brush',
      nextThing: 'the next thing that moves',
      lastThing: 'the thing before',
      undo: 'undo a change',
      redo: 'do it again',
      otherFrame: 'the frame before and the next',
      moveCrop: 'move it',
      sizeCrop: 'change its size',
      endCrop: 'end cropping',
      brushOff: 'drop the stroke, or turn the brush off',
      change: 'change the value',
      restore: 'the value of the look',
    },
  },
  save: {
    title: 'Save',
    ultraHdr: 'JPEG for phones and the web, bright on HDR displays',
    png: 'as it looks here',
    exrHalfName: 'OpenEXR, half',
    exrHalf: 'linear light, for editing',
    exrFloatName: 'OpenEXR, float',
    exrFloat: 'the same, at full precision',
    tiffName: 'TIFF, half',
    tiff: 'linear light, for editors',
    dng: 'for raw converters',
    hdr: 'linear light, in a format that everything reads',
    saved: (name: string, bytes: string) => `${name} was saved, ${bytes}.`,
  },
  result: (size: string, frames: number, isEdited: boolean, seconds: string, bytes: string) =>
    `${size}, ${frames} frames${isEdited ? ', with your changes' : ''}. ` +
    `Merged in ${seconds} s with ${bytes} of graphics memory.`,
  frames: {
    title: 'Frames',
    auto: 'Take the reference that shows most',
    add: 'Add photos',
    curve: 'The files’ tone curve',
    curveAuto: 'Automatic',
    curveGamma: 'Gamma 2.2',
    curveLinear: 'Linear (developed without a curve)',
    align: 'Align the frames',
    strength: 'Ghost removal',
    less: 'less',
    more: 'more',
    strengthOf: (steps: number) => (steps === 0 ? 'normal' : `${Math.abs(steps)} ${steps > 0 ? 'more' : 'less'}`),
    colours: 'Colours',
    srgb: 'sRGB, for every screen',
    clear: 'Start over',
    reading: 'Reading…',
    float: 'float',
    bits: (bits: number) => `${bits} bit`,
    reference: 'Reference',
    referenceOf: (name: string) => `Reference: ${name}`,
    evOf: (name: string) => `Exposure of ${name} in EV, relative to the reference`,
    noEv: (text: string, most: number) =>
      `“${text}” is no exposure: a number from −${most} to ${most}, such as −2 or 1.5`,
    dismiss: (name: string) => `Dismiss ${name}`,
    remove: (name: string) => `Remove ${name}`,
    removed: (name: string) => `${name} was removed.`,
    clippedOf: (percent: string, name: string) => `${percent} of ${name}`,
    referenceTaken: (name: string, percent: string, others: string, isKept: boolean) =>
      `${name} is taken: ${percent} of it is burnt out or black, ${others}.` +
      (isKept ? ' The middle frame is kept where it loses at most 1 % more than the best.' : ''),
    estimated: (off: string) =>
      `${SILENT}. Their EV is estimated from the pixels, and each step may be off by ${off}: correct what you know ` +
      `better, ${USUAL}.`,
    missing: (names: string) => `No exposure is known of ${names}: fill in the EV, counted from the reference.`,
    allMissing: (incomparable?: readonly [string, string]) =>
      `${SILENT}${
        incomparable ? `, and ${incomparable.join(' and ')} have too little brightness in common to estimate it` : ''
      }. Fill in the EV of each, ${USUAL}.`,
    propose: 'Use −2, 0, +2 …',
    referenceAs: { middle: 'Reference: middle exposure', most: 'Reference: shows most', chosen: 'Reference: chosen' },
    notAligned: 'Could not be aligned',
    still: 'Lay as the reference did',
    aligned: (pixels: string, degrees: string, isBent: boolean) =>
      `Aligned: moved by up to ${pixels} px${degrees === '' ? '' : `, turned by ${degrees}°`}` +
      (isBent ? ', bent against parallax' : ''),
    enlarge: (name: string) => `Enlarge ${name}`,
    close: 'Close',
    previous: 'Previous photo',
    next: 'Next photo',
    place: (at: number, all: number) => `${at} of ${all}`,
  },
  merge: {
    merge: 'Merge',
    frames: (count: number) => `Merge ${count} frames`,
    again: 'Merge again',
    changed: 'The frames or settings have changed since this picture was made.',
    noGpu: 'Merging needs WebGPU, see above.',
    stopped: 'The page has stopped working, see above.',
    reading: 'Reading the photos…',
    addTwo: 'Add at least two exposures.',
    addOne: 'Add at least one more exposure.',
    unread: 'Correct the exposure that cannot be read.',
    missing: 'Fill in the exposures that are missing.',
    equal: 'All frames have the same exposure: fill in the true ones.',
    starting: 'Starting…',
    merging: 'Merging.',
    done: 'The merge is done.',
    cancelled: 'The merge was cancelled.',
  },
  progress: {
    starting: 'Starting',
    cancel: 'Cancel',
    cancelling: 'Cancelling…',
    bytes: (done: string, total: string, percent: number) => `${done} of ${total}, ${percent} %`,
    stages: {
      weights: 'Loading the network',
      read: 'Reading the photos',
      response: 'Reading the camera’s tone curve',
      align: 'Aligning the frames',
      compile: 'Preparing the graphics card',
      segmentation: 'Finding what moved',
      fusion: 'Merging the frames',
      merge: 'Merging the frames',
      moment: 'Merging other moments',
    } satisfies Record<Stage, string>,
    nearlyDone: 'nearly done',
    seconds: (seconds: number) => `about ${seconds} s left`,
    minutes: (minutes: number) => `about ${minutes} min left`,
    hours: (hours: number, minutes: number) => `about ${hours} h ${minutes} min left`,
  },
  ask: {
    addOrBegin: (isUnsaved: boolean) =>
      'Add these photos to the frames of this picture, or begin with them alone?' +
      (isUnsaved ? ' The picture is not saved.' : ''),
    begin: 'Begin with them',
    add: 'Add them',
    unsaved: 'The merged picture is not saved. Discard it?',
    discard: 'Discard it',
    keep: 'Keep it',
  },
  notices: {
    noStart: 'The page could not start',
    stopped: 'The page has stopped working',
    workerFailed: (why: string, isUnsaved: boolean) =>
      `Its worker failed: ${why}. ` +
      `${isUnsaved ? 'Save the picture if you still can, then load' : 'Load'} the page again.`,
    workerEnded:
      'The browser has ended its worker, perhaps for lack of memory. Close other tabs, and load the page again.',
    notUnderstood: 'a message of it could not be read',
    notLoaded: 'the program could not be loaded',
    busy: {
      title: 'The photos were not added',
      text: 'Wait until the merge is done, or cancel it; then add them again.',
    },
    twice: (name: string, count: number) => ({
      title: count === 1 ? `${name} is in the list already` : `${count} photos are in the list already`,
      text: 'It is the same file: it was not added again.',
    }),
    unusable: (name: string) => `${name} cannot be used`,
    fileMemory: (name: string) =>
      `${name} needs more memory than this tab has: close other tabs, take out other frames, or scale all of them down`,
    files: 'About the files',
    recovered: 'The graphics card was lost, and opened again',
    mergeGoesOn: 'The merge continues where it stopped.',
    shownAgain: 'The picture is shown again.',
    smaller: {
      title: 'The graphics card is short of memory',
      text: 'The merge has begun again in smaller pieces, which takes a little longer.',
    },
  },
  /** The plan of a folder. What pictures come from is told after `in`. */
  plan: {
    title: (brackets: number, from: string) => `${counted(brackets, 'bracket')} in ${from}`,
    these: (files: number) => `these ${counted(files, 'file')}`,
    about: (taken: number, files: number) =>
      `${taken} of ${counted(files, 'file')}. Each bracket becomes one picture. Click its photos to open it alone.`,
    looking: (pictures: number) => `Looking through ${counted(pictures, 'picture')}…`,
    reading: 'Reading how they were taken',
    done: (done: number, all: number) => `${done} of ${all}`,
    found: (brackets: number) => `${counted(brackets, 'bracket')} found.`,
    noPictures: (folder: string) => ({
      title: `No pictures in ${folder}`,
      text: 'None of its files can be merged, by their names. Choose a folder with JPEG, TIFF or other pictures.',
    }),
    one: (folder: string, leftOver: string) => ({
      title: `One bracket in ${folder}`,
      text: `Left out: ${leftOver}.`,
    }),
    all: 'All brackets',
    leftOver: (files: number) => `${counted(files, 'file')} in no bracket`,
    noPicture: 'not a picture that is read, by its name',
    /** @param reason what the engine says, in English. */
    reason: (_kind: Skipped['kind'], reason: string) => reason,
    panel: 'Merge all',
    settings: 'Merge',
    saveAs: 'Save as',
    saveTo: 'Save to',
    png: 'PNG, tone-mapped',
    downloads: 'Downloads, one after another',
    downloadsNote: 'The browser may ask whether this page may save several files.',
    folder: 'A folder…',
    folderOf: (name: string) => `The folder “${name}”`,
    framesOf: 'Frames of a bracket',
    asTaken: 'as the pictures were taken',
    merge: (brackets: number) => `Merge ${counted(brackets, 'bracket')}`,
    noneChosen: 'No bracket is chosen.',
    discard: 'The merged picture that is open is not saved. Discard it?',
    otherFolder: 'Choose another folder',
    notWritable: (why: string) => `This folder cannot be written to: ${why}.`,
    notWritten: (name: string, folder: string, why: string) => `${name} cannot be written into “${folder}”: ${why}.`,
    notSaved: 'It is merged, but not saved',
    bracketOf: (bracket: number, all: number) => `Bracket ${bracket} of ${all}`,
    merged: (saved: number, all: number, folder: string | undefined) =>
      `${saved} of ${counted(all, 'picture')} ${saved === 1 ? 'is' : 'are'} merged and ` +
      `saved${folder === undefined ? '' : ` in “${folder}”`}`,
    cancelled: 'The others were cancelled.',
    failed: (brackets: number) => `${counted(brackets, 'bracket')} failed`,
    stillChosen: 'Brackets that are not saved are still chosen. Open one alone to see more.',
  },
  /** A bracket of the plan. */
  bracket: {
    title: (first: string, last: string) => `${first} to ${last}`,
    frames: (count: number) => `${count} frames`,
    unknown: '? EV',
    open: (title: string) => `Open ${title} alone:`,
    openIt: 'Open this bracket alone',
    progress: (title: string) => `Progress of ${title}`,
    waits: 'Waits for its turn',
    saved: (name: string, bytes: string) => `Saved as ${name}, ${bytes}`,
    savedBefore: 'Saved before the page was loaded again',
    states: { open: 'open', merging: 'merging…', merged: 'merged, not saved', saved: 'saved', failed: 'failed' },
  },
  /** What to do, after what the engine found: for problems that the page's fields and buttons solve. */
  remedies: {
    exposure: 'fill in the exposures',
    'equal-exposures': 'add brackets of different exposure, or fill in the true exposures',
    'memory-budget': 'take out some frames, or scale all of them down',
  } satisfies Partial<Record<InputProblem, string>>,
  warnings: {
    'much-motion': 'Most of the picture counts as moving',
    unaligned: 'A frame could not be aligned',
    'weak-response': 'The files’ tone curve is uncertain',
    'poor-reference': 'The reference frame shows little',
    'contradicted-exposures': 'The exposures do not fit the pictures',
  } satisfies Record<MergeWarning['kind'], string>,
  /** @param text what the engine says, in English. */
  note: (_kind: FileNote['kind'], text: string) => text,
  /**
   * What was found, and what to do about it on the page.
   * @param finding what the engine says, in English. @param frames those it is about, from 0.
   */
  warning: (kind: MergeWarning['kind'], finding: string, _frames: readonly number[]): string => {
    const remedies: Record<typeof kind, string> = {
      'much-motion': 'If so much does move, merge fewer frames.',
      unaligned: 'Where the picture is doubled or soft, remove frames that do not belong to the stack.',
      'weak-response':
        'If colours or tones look wrong, or still parts are marked as moving, add frames of other exposure, or ' +
        'choose another under “The files’ tone curve”.',
      'poor-reference': 'Choose another reference.',
      'contradicted-exposures':
        'Check the exposures of these frames in the list, and remove frames that do not belong to the stack.',
    };
    return `${finding} ${remedies[kind]}`;
  },
  failures: {
    change: (why: string) => ({
      title: 'The change could not be merged',
      text: `${why} The picture does not show it yet. It is tried again with the next change, or when you merge again.`,
    }),
    noWebGpu: {
      title: 'This browser has no WebGPU',
      text: 'deghost computes with WebGPU, which this browser does not have, or has switched off.',
      steps: [
        'Chrome and Edge: update the browser. On Linux and on Windows for ARM, some graphics cards also need “Unsafe ' +
          'WebGPU Support” at chrome://flags/#enable-unsafe-webgpu.',
        'Firefox: update the browser. It has WebGPU on Windows and on Macs with Apple silicon; elsewhere set ' +
          'dom.webgpu.enabled to true at about:config.',
        'Safari: update macOS, iOS or iPadOS to version 26 or later.',
        'Then start the browser again and open this page.',
      ],
    },
    notSecure: {
      title: 'This address is not secure',
      text:
        'Browsers offer WebGPU only to pages from https: addresses or from localhost. Open this page at such an ' +
        'address.',
    },
    noAdapter: {
      title: 'No graphics adapter was found',
      text: 'The browser has WebGPU, but no graphics card that it may use.',
      steps: [
        'Switch on hardware acceleration: in Chrome and Edge under Settings, System; in Firefox under Settings, ' +
          'General, Performance.',
        'Update the graphics driver. Chrome and Edge say at chrome://gpu why they refuse a card, Firefox at ' +
          'about:support.',
        'On Linux, Chrome and Edge may need “Unsafe WebGPU Support” at chrome://flags/#enable-unsafe-webgpu.',
        'Then start the browser again and open this page.',
      ],
    },
    commandLine: 'The command line merges as well, with Node 20. On Linux it needs no graphics card:',
    lost: {
      title: 'The graphics card was lost twice',
      text:
        'It was reset or disconnected, opened again, and lost again. Close other programs that use it and try again; ' +
        'if that does not help, load this page again, or scale the frames down.',
    },
    lostView: { title: 'The graphics card was lost twice', text: SAVE_IT },
    memory: {
      title: 'This tab has too little memory',
      text:
        'The frames and their merge need more than this tab can have. Close other tabs and programs, take out some ' +
        'frames, or scale all of them down; then merge again. The frames are still here.',
    },
    memoryView: { title: 'There is too little memory to show the picture', text: SAVE_IT },
    memorySave: {
      title: 'There is too little memory to make this file',
      text: 'Close other tabs and programs and try again, or save Radiance .hdr, which needs the least.',
    },
    gpuMemory: {
      title: 'The graphics card has too little memory',
      text:
        'Merging in smaller pieces was tried as well. Close other tabs and programs that use it, then merge again; ' +
        'if that does not help, scale the frames down.',
    },
    gpuMemoryView: { title: 'The graphics card has too little memory to show the picture', text: SAVE_IT },
    input: 'These frames cannot be merged',
    other: 'Something went wrong',
  },
};
