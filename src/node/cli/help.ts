/** The texts of `--help`. They answer the questions that users have, and do not only list options. */

const ADAPTER = `  --adapter WHICH       auto (a GPU, or else a software adapter), gpu, software (the system's
                        lavapipe, or else npm's SwiftShader), swiftshader. Default: the
                        environment variable DEGHOST_ADAPTER, or auto.`;

export const GENERAL_HELP = `deghost: merge bracketed photos with moving things in them into one ghost-free HDR picture

Usage
  deghost merge IMG... -o OUT   merge 2 to 16 exposures of one scene
  deghost batch DIR -o OUT      find the brackets in a folder and merge each
  deghost align IMG... -o DIR   align frames taken by hand, for other programs
  deghost plan WIDTHxHEIGHT     what a merge of this size would run, and its memory
  deghost tune                  find the fastest implementations on this adapter
  deghost evaluate DIR...       measure the quality of merges, with or without ground truth
  deghost convert FILE -o OUT   weights that were trained elsewhere, as a weights file
  deghost info                  adapters, their limits and features, and missing drivers
  deghost COMMAND --help        help on one command
  deghost --version

Exit codes
  0 done, 1 error, 2 wrong usage, 3 no GPU or software adapter, 130 cancelled (129, 131, 143 by other signals)
`;

export const MERGE_HELP = `Usage: deghost merge IMG... -o OUT [options]

Merges 2 to 16 exposures of one scene, taken from one place, into one HDR picture. Things that moved
between them are taken from the reference frame alone, so they leave no ghosts. Frames taken by hand are
aligned first.

Examples
  deghost merge a.jpg b.jpg c.jpg -o out.hdr
  deghost merge *.tif --ev=-2,0,2 -o out.exr --preview out.png
  deghost merge a.png b.png c.png --times 1/320,1/80,1/20 -o out.hdr --motion maps
  deghost merge a.png b.png c.png --times 1/320,1/80,1/20 -o out.hdr --motion-in maps   (maps you edited)

Pictures in
  JPEG, PNG, TIFF (also float), WebP, AVIF, HEIC, JPEG XL, OpenEXR, Radiance, and NPY ([H,W,3]: float32 in
  [0,1], uint8 or uint16), all of one size. EXIF orientation and ICC profile are applied; alpha 0 means that
  a frame has no data there. RAW files (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2) are developed by LibRaw.
  Frames taken by hand are aligned (--align).

Exposures: how bright each picture is
  They are read from EXIF (exposure time, f-number and ISO together) unless you give them, in the order of
  the pictures on the command line. The frames are then sorted, darkest first:
  --ev LIST             in stops, +1 is twice the exposure: --ev=-2,0,2
  --times LIST          in seconds: --times 1/320,1/80,1/20
  Only their ratios matter. Wrong exposures look like motion everywhere.

Result
  -o, --output FILE     .hdr (Radiance RGBE), .exr (OpenEXR), .tif (float, linear), .dng (linear raw, for
                        raw converters), .npy (float32 [H,W,3]), .png or .jpg (finished), .uhdr.jpg
                        (Ultra HDR). In .hdr, .exr and .tif, 1.0 is the reference frame's white; in .npy
                        it is the saturation of the shortest frame.
  --preview FILE.png    also writes a finished picture
  --exr-type TYPE       half (default) or float
  --tiff-type TYPE      the same for .tif and .dng
  --tone NAME           for .png, .jpg, .uhdr.jpg and previews: a look (natural, the default, vivid, soft or
                        monochrome), or a plain curve (photographic, reinhard, filmic or linear)
  The folder must exist. An old file is replaced only when the new one is complete.

How it is merged
  --align HOW           auto (default) aligns frames to the reference by a homography each, and bends them
                        where that helps against parallax; homography; mesh (always bends); none. A frame
                        that lies within 0.15 pixels, or whose alignment cannot be trusted, stays as it is.
  --skip-misfits        leaves out frames that do not belong: of which --align finds nothing in the reference.
                        Frames that are burnt out or black nearly everywhere look the same to it.
  --crop                cuts the result to what all frames cover
  --strength S          how readily something counts as moving, 0 to 1. Default: 0.5. More removes more ghosts
                        and shows more of the reference alone.
  -r, --reference N     the frame that moving things are taken from, counted from 1, darkest first.
                        Default: the middle one (the darker of the two middle ones of an even number).
                        Choose one in which they are neither black nor burnt out. auto takes the frame with
                        the fewest such pixels (a code above 250 of 255, or all below 5), but keeps the
                        middle one if it has at most 1 % of the picture more. It prints the shares.
  --response CURVE      how the camera turned light into values. auto estimates this from the stack
                        (default for 8-bit pictures); gamma is x^2.2 (default for 16-bit and NPY); linear;
                        or a JSON file {"r": [256 numbers], "g": [...], "b": [...]} with the light for
                        value i/255, from 0 to 1.
                        auto:FILE for several stacks of one camera (the views of a panorama): the first
                        call estimates the curve and saves it in FILE, the others read it from there.
                        Pictures that say that they are linear (by their profile, or floats) are taken so.
  --save-response FILE  saves the curve that was used, for other stacks of the same camera
  --color SPACE         the primaries that colours are merged and saved in: srgb (default), p3 (Display P3)
                        or rec2020. A wider space keeps colours that sRGB would clip; the pictures' profiles
                        say what they hold.
  --method METHOD       network (default), or merge: a weighted average that does not look for motion
                        and needs no weights; its ghosts show what the network removes. With --motion-in
                        it leaves out what the maps mark.
  --weights FILE        a network trained elsewhere (safetensors). Default: the ones that come with
                        deghost, "fixed" for three frames and the middle one as the reference, else "any".

Motion maps: what counts as moving
  --motion DIR          writes each map as motion-K.png (white moves) and motion-K.npy (float32 [H,W],
                        0 to 1), K = 1.. in the order of exposure. The reference's map is the union.
  --motion-in DIR       reads such maps and uses them instead of the network's own. Paint a PNG white where
                        the reference must be used, black where frames may be averaged. An edited PNG is
                        used, otherwise the NPY. The reference's map is not read: it is the union of the
                        others.
  --moment-in FILE      shows other moments in parts of the picture: an 8-bit grey PNG of its size, whose
                        values are numbers of frames, counted from 1, darkest first; 0 is the reference.

Machine
${ADAPTER}
  --memory-budget SIZE  most GPU memory to use: 512MiB, 1GiB, 300000000. Pictures of any size are cut into
                        tiles that fit; the result is the same. Default: 512MiB on software adapters, up to
                        2GiB on GPUs, and half of it again where that is too much.
  --precision f32|f16   how the GPU stores weights and the tensors between layers. f16 takes half the memory
                        and needs an adapter with shader-f16; arithmetic is f32. Default: f32.
  --no-tune             does not use the results of deghost tune, and does not tune. Without this option, a
                        new GPU is tuned for a few seconds while pictures are read.
  --json                one JSON object on stdout: files, sizes, exposures, response, warnings, memory,
                        times
  --profile             where the time went: reading, compiling, each stage (sending frames, cutting tiles,
                        compute, taking and pasting results), writing, and each operation's time on the GPU
                        where the adapter has timestamps. Prints a table on stderr; --json includes all of it
                        too.
  -q, --quiet           no progress
  -h, --help            this text
  Ctrl-C stops within a tile and leaves no file.
`;

export const BATCH_HELP = `Usage: deghost batch DIR|IMG... -o OUT [options]

Finds the brackets among the pictures of a folder, or among the pictures named, and merges each into a file in
OUT, named by its first frame. A bracket is 2 to 16 pictures of one camera and lens setting, taken one right
after another (2 seconds at most in between), each with another exposure, over 1 EV at least.

Examples
  deghost batch holiday -o merged --dry-run
  deghost batch holiday -o merged --format tif --preview --resume
  deghost batch *.jpg -o merged --frames 3

  -o, --output DIR      the folder; it is created if it is missing
  --dry-run             prints the plan alone: the brackets, and why other pictures are in none
  --format FORMAT       exr (default), hdr, tif, dng, npy, png, jpg or uhdr.jpg
  --preview             also writes a finished .preview.png of each
  -n, --frames N        brackets of N pictures, counted in the order of time and name: for pictures without EXIF
  --resume              leaves out stacks whose file exists
  --shard K/N           only every N-th stack, from the K-th on: for N machines, or the jobs of an array
  --json                one JSON object on stdout: the plan, and what became of each stack
  -q, --quiet           no messages
  As in deghost merge: --reference, --response (auto:FILE keeps one curve for all), --align, --skip-misfits,
  --crop, --strength, --color, --weights, --method, --memory-budget, --exr-type, --tiff-type, --tone,
  --precision, --no-tune
${ADAPTER}
  A stack that fails is listed at the end, and the others are merged; the exit code is then 1.
`;

export const ALIGN_HELP = `Usage: deghost align IMG... -o DIR [options]

Aligns 2 to 16 exposures of one scene, taken by hand, to one of them, and writes them as pictures of 16 bits
with the same names, for other programs. deghost merge does this by itself.

Example
  deghost align a.jpg b.jpg c.jpg -o aligned --crop

  -o, --output DIR      the folder; it is created if it is missing
  --format tif|png      Default: tif. EXIF is kept.
  --align HOW           auto (default): a homography for each frame, bent where that helps against parallax;
                        homography; mesh (always bent)
  -r, --reference N     the frame that the others are aligned to, counted from 1, darkest first. Default: the
                        middle one.
  --crop                cuts all frames to what all of them cover. Without it, what a frame does not cover
                        repeats its edge.
  --ev LIST, --times LIST
                        exposures where EXIF has none, as in deghost merge
  --color SPACE         srgb (default), p3 or rec2020
  --memory-budget SIZE  most GPU memory to use, as in deghost merge
${ADAPTER}
  --json                one JSON object on stdout: for each frame, how it was aligned
  -q, --quiet           no messages
  -h, --help            this text
`;

export const PLAN_HELP = `Usage: deghost plan WIDTHxHEIGHT [options], or deghost plan --size WIDTHxHEIGHT

Prints what a merge of this size would do on this machine: its tiles, every step, GPU memory before and after
buffers are shared, the bytes that it moves, what aligning its frames adds, and, if deghost tune has been run,
how long it will take.
Nothing is computed.

Example
  deghost plan 6000x4000 --frames 5 --memory-budget 1GiB

  -n, --frames N        how many exposures, 2 to 16. Default: 3.
  -r, --reference N     the reference frame, counted from 1, darkest first. Default: the middle one.
  --weights FILE        the network. Default: the one that deghost merge would use.
  --method METHOD       network (default) or merge, as in deghost merge
  --precision f32|f16   as in deghost merge
  --memory-budget SIZE  most GPU memory to use, as in deghost merge
  --limits WHICH        adapter: this machine's limits and implementations (default); default: a GPU with
                        what every WebGPU device has, and shader-f16 for --precision f16
  --max-binding SIZE    most bytes of one buffer, in place of the limits': 128MiB, 2GiB
  --hand-held           for frames that are resampled: tiles leave room for the buffers that this takes
  --wgsl STEP           print only the shader of a step, by its name in the plan: --wgsl s.1.enc1.2
${ADAPTER}
  --json                one JSON object on stdout
  -h, --help            this text
`;

export const TUNE_HELP = `Usage: deghost tune [options]

Runs every implementation of every step of a merge on this machine's adapter, checks that they agree, times
them, and keeps the fastest for deghost merge and deghost plan, in the user's cache folder. A GPU takes
seconds. A software adapter takes minutes the first time: its driver takes seconds to compile each one.

Examples
  deghost tune
  deghost tune --frames 5 --precision f16 --limit 60

  -n, --frames N        number of exposures of the merges to tune for, 2 to 16. Default: 3. Results for
                        other numbers are kept.
  --weights FILE        the network. Default: the one that deghost merge would use.
  --precision f32|f16   as in deghost merge; each is tuned separately
  --limit SECONDS       starts nothing new after this time. The largest share of the arithmetic comes first;
                        steps that are not reached keep their default. Default: no limit.
  --only TEXT           only the kinds of steps whose name contains TEXT
${ADAPTER}
  --json                one JSON object on stdout: every implementation's time
  -q, --quiet           no progress
  -h, --help            this text
  Ctrl-C stops the tuning; the results so far are saved.
`;

export const EVALUATE_HELP = `Usage: deghost evaluate DIR... [options]

Merges stacks and prints the harm that the merge does to each: colour casts, rainbow pixels, and, in boxes
that are known to stand still, what is marked as moving and how much the picture differs from the plain merge.
For stacks with a ground truth, it also prints how close each result is to the truth: the network, the
reference frame alone, and the merge without a network, plain and with three kinds of motion maps.

Examples
  deghost evaluate photographs --json figures.json --pictures sheets
  deghost evaluate tripod/001 --static
  deghost evaluate scenes --response gamma --method khan,pece,mertens
  deghost evaluate Test/EXTRA/001 Test/EXTRA/002 --weights mine.safetensors --response gamma

A stack is a folder, or DIR holds such folders
  pictures              *.tif, *.png or *.jpg, in the order of their names. If some are named input_*, only
                        these are used, and of these only the *_aligned ones if there are any.
  exposure.txt          or input_exp.txt, ev.txt: exposures in stops, one line per picture, or one line with
                        commas. Without this file, EXIF is used.
  still.json            optional: boxes that stand still in all frames, [[x, y, width, height], ...] in pixels
  response.json         optional: the camera's response, as --save-response writes it; --response overrides it
  HDRImg.hdr            optional: or ref_hdr*.hdr, ground-truth.hdr, or any single .hdr: the radiance at the
                        moment of the reference frame
  motion-K.png          optional: white where frame K (darkest first) differs from the reference
  The data sets of Kalantari (2017) and of Prabhakar and Hu have this layout. If some of several stacks cannot
  be used, they are reported, the others are judged, and the exit code is 1.

Rows
  network               the result of deghost merge
  reference             the reference frame alone, with clipped radiance where the frame is clipped
  merge                 the plain merge, with its ghosts
  merge, difference     uses the reference alone where frames differ by more than 0.1 after alignment
  merge, S              the same with the network's motion maps
  merge, truth          the same with motion-K.png
  khan, pece, mertens   classical methods, with --method and a ground truth; none knows the reference frame.
                        mertens makes a picture for a display: it has figures after tone mapping alone.
  NAME                  others' pictures, with --candidate NAME=DIR and a ground truth
  still                 all boxes of still.json together, then each by its numbers

Columns against a ground truth
  PSNR in dB and SSIM of linear radiance (L), after the mu-law with mu = 5000 (mu), after the tone mapping of
  Reinhard (R), Krawczyk (K) and Durand (D); PSNR after PU21; PSNR-mu where things move and where they do not
  (according to motion-K.png); IoU of the motion maps with the true ones. Radiance is clipped to [0,1]; 1 is
  the saturation of the shortest frame. Means are over stacks; IoU is over the pixels of all stacks.

Columns of harm
  cast                  colour that one curve, the same for all channels, cannot explain between the picture and
                        the reference frame's mid-tones: median and 90th percentile of CIEDE2000 (dE, p90), mean
                        shift towards red and yellow in CIELAB (a, b)
  rainbow               pixels more than 15 in CIELAB's a or b from the median of the 5x5 around them
  moving                pixels that some frame's motion map marks as moving (> 1/2); maps: mean of all maps
  from merge            network against plain merge in the boxes: mean and 99th percentile of CIEDE2000 (dE, p99),
                        PSNR-mu. Both are tone-mapped with the plain merge's key.
  Means are over stacks, for still boxes over boxes; worst is the worst stack or box.

Options
  --weights FILE        a network trained elsewhere. Default: as in deghost merge
  -r, --reference N     the reference, from 1, darkest first. Default: the middle one. It must be the frame
                        that the ground truth shows.
  --frames LIST         uses only these frames, from 1, darkest first: --frames 1,3,5
  --response CURVE      as in deghost merge: auto (default for 8-bit pictures), gamma (default for 16-bit),
                        linear, or a JSON file
  --method LIST         compares with these classical methods too: khan (Khan et al. 2006), pece (Pece and Kautz
                        2010), mertens (Mertens et al. 2007). They run on the CPU: --method khan,pece
  --candidate NAME=DIR  judges others' pictures too, in a row NAME: DIR/STACK.hdr, .exr or .npy, linear and in
                        any scale, for the stack in the folder STACK. Several: --candidate a=DIR,b=DIR
  --static              in stacks without still.json nothing moves: the whole picture stands still
  --truth-scale X       the ground truth times X is radiance as above. Default: fit, by least squares where
                        the reference is well exposed
  --peak-luminance X    the display luminance of 1 in cd/m^2, for PU21 and Krawczyk. Default: 4000
  --json FILE           every figure; inside and outside motion also PSNR-L and PU21. Figures that do not
                        exist (no true motion, no still.json) or are infinite are null; shares are 0 to 1.
  --pictures DIR        a sheet for each stack: all rows; their errors after the mu-law, from black through
                        red and yellow to white at 0.1; their motion maps. Without a ground truth, the plain
                        merge replaces it.
${ADAPTER}
  --memory-budget SIZE  most GPU memory to use, as in deghost merge
  --precision f32|f16   as in deghost merge
  -q, --quiet           no progress
  -h, --help            this text
`;

export const CONVERT_HELP = `Usage: deghost convert FILE -o OUT.safetensors [options]

Makes a weights file from another framework's checkpoint, for --weights. Nothing of the checkpoint is run.

Examples
  deghost convert model.pth --dry-run
  deghost convert model.pth -o mine.safetensors --config '{"base": "merge", "hat": "pixel"}'
  deghost convert model.h5 --dry-run --save-map names.json
  deghost convert model.h5 -o mine.safetensors --map names.json   (a map that you edited)
  deghost merge a.jpg b.jpg c.jpg -o out.hdr --weights mine.safetensors

Checkpoints
  PyTorch (.pt, .pth, both forms of torch.save), TensorFlow V2 (.index, with its .data files beside it, or the
  folder of a saved model), Keras (.h5, .keras, .weights.h5), ONNX (the initialisers), NPZ, safetensors. Types
  f64, f32, bf16 and f16. A pickle with anything but tensors, dictionaries and numbers is refused.

Which tensor is which
  Names that are the network's own, but for a common start, are taken as they are. Otherwise tensors are told
  apart by their shapes, and those of one shape by their order; the table shows which. docs/convert.md has the
  names and shapes.
  --save-map FILE.json  saves the map: {"name in the checkpoint": "name in the network", "left out": null}
  --map FILE.json       takes this map. It must name every tensor of floats, and every one of the network.
  --layout LAYOUT       axes of kernels: OIHW, HWIO, or auto (default), as their shapes show

Which network
  Widths, variant and ablation follow from the shapes, if the checkpoint does not say them.
  --variant fixed|any   for three frames, or for 2 to 16
  --config JSON|FILE    other fields: slope, gamma, maskMode, base, hat, gate. Tensors do not show them: give
                        them as the network was trained.

Result
  -o, --output FILE     the weights file
  --dtype f32|f16       Default: f32. f64 is rounded to the nearest f32.
  --dry-run             writes no weights
  --all                 lists every tensor
  --json                one JSON object on stdout
  -q, --quiet           no messages
  -h, --help            this text
`;

export const INFO_HELP = `Usage: deghost info [--json]

Prints the WebGPU adapters of this machine, the one that would be used, limits and features, and, if there is
no GPU, which drivers could be installed. The exit code is 3 if there is no adapter at all.

${ADAPTER}
  --json                one JSON object on stdout
  -h, --help            this text
`;
