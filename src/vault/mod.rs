//! Not built yet: everything answers `StorageAbsent` (503). The unfinished rooms lie beside this
//! file (resolve, mount, look) and are not compiled; the next session puts them together.
mod grant; mod path;
pub use grant::Grant; pub use path::VaultPath;
use std::{sync::Arc, time::SystemTime, io::Write, path::Path, fs::File};
use crate::error::{Error,Result};
#[derive(Clone,Debug)] pub struct RootId(String);
impl RootId { pub fn new(s:&str)->Self{Self(s.into())} pub fn as_str(&self)->&str{&self.0} }
pub struct Vault; pub struct Usage{pub free_bytes:u64,pub total_bytes:u64}
impl Vault { pub fn attach(_:&Path,_:Option<&RootId>,_:bool)->std::result::Result<(Self,RootId),Error>{Ok((Vault,RootId("x".into())))} pub fn share(&self,_:Arc<Grant>)->Result<Share>{Err(Error::StorageAbsent)} pub fn sweep(&self){} pub fn usage(&self)->Result<Usage>{Err(Error::StorageAbsent)} pub fn is_present(&self)->bool{true} pub fn root(&self)->&Path{Path::new("/")} }
pub struct Share;
pub struct Listing; pub enum Kind{File,Folder,Other}
pub struct Entry{pub name:String,pub kind:Kind,pub size:u64,pub modified:SystemTime,pub writable:bool}
impl Listing{ pub fn for_each_name(&mut self,_:&mut dyn FnMut(&str)->Result<()>)->Result<()>{Err(Error::StorageAbsent)} pub fn for_each_entry(&mut self,_:&mut dyn FnMut(&Entry)->Result<()>)->Result<()>{Err(Error::StorageAbsent)} }
pub struct OpenFile{pub file:File,pub size:u64,pub modified:SystemTime,pub tag:String}
pub enum Opened{File(OpenFile),Folder}
pub struct Spool; impl Write for Spool{ fn write(&mut self,_:&[u8])->std::io::Result<usize>{Err(std::io::ErrorKind::NotConnected.into())} fn flush(&mut self)->std::io::Result<()>{Ok(())} }
impl Spool{ pub fn finish(&mut self)->Result<()>{Err(Error::StorageAbsent)} }
#[derive(Clone,Copy)] pub enum IfExists{Overwrite,Rename,Error(&'static str)}
pub struct Place{pub if_exists:IfExists,pub make_parents:bool,pub keep_mode:bool,pub files_only:bool}
pub struct Placed{pub path:VaultPath,pub size:u64}
impl Share{ pub fn grant(&self)->&Grant{unreachable!()} pub fn list(&self,_:&VaultPath)->Result<Listing>{Err(Error::StorageAbsent)} pub fn open(&self,_:&VaultPath)->Result<Opened>{Err(Error::StorageAbsent)} pub fn spool(&self,_:Option<&VaultPath>)->Result<Spool>{Err(Error::StorageAbsent)} pub fn place(&self,_:Vec<(Spool,VaultPath)>,_:&Place)->Result<Vec<Placed>>{Err(Error::StorageAbsent)} pub fn make_folder(&self,_:&VaultPath)->Result<()>{Err(Error::StorageAbsent)} pub fn rename(&self,_:&VaultPath,_:&VaultPath,_:Kind)->Result<()>{Err(Error::StorageAbsent)} pub fn delete_file(&self,_:&VaultPath)->Result<()>{Err(Error::StorageAbsent)} pub fn delete_folder(&self,_:&VaultPath)->Result<()>{Err(Error::StorageAbsent)} pub fn zip(&self,_:&VaultPath,_:&mut dyn Write)->Result<()>{Err(Error::StorageAbsent)} }
