import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { chooseResponse } from '../src/image/chooseResponse.ts';
const f=`/proc/self/task/${process.pid}/schedstat`;
const t=()=>Number(readFileSync(f,'utf8').split(' ')[0])/1e6;
const frames=await Promise.all(['a','b','c'].map(async(n,i)=>{const {data,info}=await sharp(`/tmp/big/${n}.jpg`).raw().toBuffer({resolveWithObject:true});return {data:new Uint8Array(data.buffer,data.byteOffset,data.length),width:info.width,height:info.height,exposure:4**i};}));
for(let i=0;i<4;i++){const a=t(); const r=await chooseResponse(frames as never,undefined,async()=>frames as never); console.log('response cpu ms',(t()-a).toFixed(0), JSON.stringify(r.report).slice(0,200));}
