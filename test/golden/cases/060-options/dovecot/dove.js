// dove.js SOCKET LOG [mode]
const net=require('net'),fs=require('fs');const [,,p,log,mode='ok']=process.argv;
const say=t=>fs.appendFileSync(log,t);
try{fs.unlinkSync(p)}catch{}
net.createServer(s=>{let b='';let n=0;
 const hello= mode==='badversion'?'VERSION\t2\t0\nDONE\n':mode==='nomech'?'VERSION\t1\t1\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tabc\nDONE\n':mode==='silent'?'':'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tCRAM-MD5\nSPID\t77\nCUID\t5\nCOOKIE\tabcdef\nDONE\n';
 s.write(hello); if(mode==='hangup'){s.end();return}
 s.on('error',()=>{});s.on('data',d=>{b+=d;let i;while((i=b.indexOf('\n'))>=0){const l=b.slice(0,i);b=b.slice(i+1);say('C: '+l.replace(/CPID\t\d+/,'CPID\tN')+'\n');
  const f=l.split('\t');
  if(f[0]==='AUTH'||f[0]==='CONT'){n++; const id=f[1];
   const resp=(l.match(/resp=(.*)$/)||[])[1]; let r;
   if(mode==='garbage') r='WHAT\t'+id+'\n';
   else if(mode==='close'){s.destroy();return}
   else if(mode==='temp') r='FAIL\t'+id+'\tuser=u\ttemp\n';
   else if(f[0]==='AUTH'&&resp===undefined) r='CONT\t'+id+'\t'+(f[2]==='LOGIN'?'VXNlcm5hbWU6':'')+'\n';
   else if(f[2]==='LOGIN'||f[0]==='CONT'&&mode==='login'&&n<3) r='CONT\t'+id+'\tUGFzc3dvcmQ6\n';
   else { const t=Buffer.from(resp||f[2]||'','base64').toString(); r=/secret/.test(t)?'OK\t'+id+'\tuser=joe@x\tfoo=bar\n':'FAIL\t'+id+'\tuser=joe@x\tauthz\n'}
   say('S: '+r); s.write(r)}
 }})}).listen(p,()=>fs.chmodSync(p,0o666));
