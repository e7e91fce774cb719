//! Names of machines that are names of domains as well. An authority that may vouch for a machine called `cloud` may
//! vouch for everything below `.cloud`, too.

/// Top-level domains that somebody may have called their machine by (IANA's root zone). Those of two letters are those
/// of countries, each of them or none; longer ones with a digit or a hyphen do not exist.
const DOMAINS: &str = "\
    academy actor agency airforce amazon analytics android app apple archi arpa art arte audio auto baby band \
    bank bar baseball basketball beauty beer best bet bible bike bingo bio biz black blog blue boats bom bond \
    boo book bosch bot boutique box broker brother build builders business buy buzz cab cafe call cam camera \
    camp canon capital car cards care career cars casa case cash casino catering center ceo chat cheap christmas \
    chrome church circle cisco citadel city click clinic cloud club coach codes coffee college com community \
    company compare computer contact cooking cool coop country courses cricket crown cruises dad dance data date \
    day deal degree delivery dell delta dental desi design dev diamonds diet digital direct directory discover \
    diy docs doctor dog domains dot download drive dunlop earth eat eco edeka edu education email energy \
    engineer engineering epson equipment esq estate events exchange expert express extraspace fail faith family \
    fan fans farm fashion fast feedback film final finance fire fish fishing fit fitness flights florist flowers \
    fly foo food football ford forum foundation fox free frontier fujitsu fun fund furniture fyi gal gallery \
    game games garden gay gift gifts glass global globo gmail gmbh gold golf goo goog google gop gov graphics \
    gratis green group guardian guide guitars guru hair hamburg haus health help here hermes hiphop hitachi hiv \
    hockey holiday homes honda horse hospital host hosting hot house how hughes ice icu inc industries info ing \
    ink institute int international investments ist istanbul itau jaguar java jeep jetzt jewelry jobs joburg jot \
    joy juegos juniper kaufen kids kim kinder kindle kitchen kiwi koeln kpn lamborghini land lat latino law lds \
    lease legal lego lexus lgbt life lighting like lilly limo lincoln link live living llc loan locker locus lol \
    london lotto love ltd luxe luxury madrid maison makeup man management mango map market marketing mattel mba \
    media meet melbourne meme memorial men menu miami microsoft mil mini mint mit mlb mobi mobile moda moe moi \
    mom monash money monster moscow moto motorcycles mov movie museum music nab nagoya name navy nba nec net \
    netflix network new news next nexus nfl ngo nhk nico nike nikon ninja nissan nokia norton now nowruz nra nrw \
    ntt nyc observer office okinawa omega one ong onion onl online ooo open oracle orange org organic origins \
    osaka ovh page panasonic paris pars partners parts party pay pet phd philips phone photo photography photos \
    physio pics pictet pictures pid pin ping pink pioneer pizza place play playstation plus pnc pohl poker post \
    press prime pro prod productions prof promo properties property protection pub qpon quebec racing radio read \
    realty recipes red rehab reise reisen reit ren rent rentals repair report rest restaurant review reviews \
    rich ricoh ril rio rip rocks rodeo room rugby ruhr run saarland safe safety sale salon samsung sap sarl save \
    saxo schmidt school schule schwarz science scot search seat secure security select services seven sew sex \
    sharp shaw shell shia shoes shop shopping show silk sina singles site ski skin sky skype sling smart smile \
    soccer social software solar solutions song sony soy spa space sport spot star stockholm storage store \
    stream studio study style sucks supplies supply support surf surgery suzuki swatch swiss sydney systems tab \
    taipei talk target tatar tattoo tax taxi team tech technology tel tennis theater tickets tienda tips tires \
    tirol today tokyo tools top toray toshiba total tours town toyota toys trade trading training travel trust \
    tube tui tunes university uno vegas ventures versicherung vet video vig viking villas vin vip virgin visa \
    vision viva vivo vlaanderen vodka volvo vote voting voto voyage wales walter wang watch watches weather \
    webcam weber website wedding weir wien wiki win windows wine winners work works world wow wtc wtf xbox xerox \
    xxx xyz yachts yahoo yandex yoga yokohama you youtube yun zara zero zip zone zuerich";

/// Whether the name may be one that everybody has names under.
pub fn may_be(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase());
    name.len() <= 2 || name.starts_with("xn--") || (is_plain && is_listed(name))
}

/// Whether it is in the list.
fn is_listed(name: &str) -> bool {
    DOMAINS.split_ascii_whitespace().any(|domain| domain == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_called_like_a_domain_are_told_apart() {
        for domain in ["com", "cloud", "de", "uk", "x", "", "xn--p1ai", "dev", "zuerich", "academy"]
        {
            assert!(may_be(domain), "{domain}");
        }
        for name in ["nas", "raspberrypi", "nas-2", "cloud9", "larder", "server", "nas.example.org"]
        {
            assert!(!may_be(name), "{name}");
        }
    }
}
